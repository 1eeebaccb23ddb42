"""The server admits only its own page and programs with its token, and writes only valid answers."""

import logging
from pathlib import Path

import pytest
from reviews import answer, journal, make_review
from starlette.testclient import TestClient

from dawnchorus.review.address import Address
from dawnchorus.review.server import MOST_BYTES, ReviewServer
from dawnchorus.review.session import read_session

ADDRESS = Address(8765, "s3cret" * 8)
OWN = "http://127.0.0.1:8765"
BASE = OWN + ADDRESS.folder
TOKEN = {"Authorization": f"Bearer {ADDRESS.token}"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a review, as the working directory."""
    monkeypatch.chdir(tmp_path)
    make_review(tmp_path)
    return tmp_path


def browser() -> TestClient:
    return TestClient(ReviewServer(read_session("one")).app(ADDRESS), base_url=BASE)


def program() -> TestClient:
    return TestClient(ReviewServer(read_session("one")).app(ADDRESS), base_url=BASE, headers=TOKEN)


def opened() -> TestClient:
    """A browser in which the page is open."""
    client = browser()
    assert client.get(f"/?token={ADDRESS.token}").status_code == 200
    return client


def test_the_printed_address_opens_the_page_and_its_cookie_the_rest(project: Path) -> None:
    client = browser()
    assert client.get("/").status_code == 403
    page = client.get(f"/?token={ADDRESS.token}")
    assert "app.js" in page.text
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    # A server on another port of this machine gets the cookies of the paths that it knows.
    assert f"Path={ADDRESS.folder};" in cookie
    assert client.get(OWN + "/", headers={"Cookie": f"dawnchorus={ADDRESS.token}"}).status_code == 404
    for path in ("/", "/app.js", "/style.css", "/api/review", "/sound/1", "/api/agreement"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/api/review", "/api/answers?reviewer=Anna", "/sound/1", "/reference/0", "/nothing"]
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "dawnchorus=wrong"}])
def test_nothing_is_reachable_without_the_token(project: Path, path: str, headers: dict[str, str]) -> None:
    found = browser().get(path, headers=headers)
    assert found.status_code == 403
    assert ADDRESS.token not in found.text
    assert "set-cookie" not in found.headers


@pytest.mark.parametrize("host", ["evil.example:8765", "127.0.0.1:9999", "127.0.0.1", "127.0.0.1.evil.example:8765"])
def test_a_foreign_host_that_leads_here_is_refused(project: Path, host: str) -> None:
    found = opened().get(f"/?token={ADDRESS.token}", headers={"Host": host})
    assert found.status_code == 403
    assert "set-cookie" not in found.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "null", "http://localhost:8765"])
@pytest.mark.parametrize("token", [{}, TOKEN])
def test_another_origin_is_refused_and_writes_nothing(project: Path, origin: str, token: dict[str, str]) -> None:
    client = opened()
    found = client.post("/api/answers", json=answer(), headers={"Origin": origin, **token})
    assert found.status_code == 403
    assert "access-control-allow-origin" not in found.headers
    # The question that a browser asks before it sends another page's JSON.
    asked = client.options("/api/answers", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 403
    assert journal(project) == []


def test_what_another_page_loads_is_refused(project: Path) -> None:
    client = opened()
    for site in ("cross-site", "same-site"):
        assert client.get("/sound/1", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client.get("/sound/1", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_the_page_writes_with_its_own_origin_only(project: Path) -> None:
    client = opened()
    assert client.post("/api/answers", json=answer()).status_code == 403
    assert journal(project) == []
    assert client.post("/api/answers", json=answer(), headers={"Origin": OWN}).status_code == 201
    (line,) = journal(project)
    assert (line["item"], line["answer"], line["reviewer"]) == (1, "present", "Anna")


def test_a_foreign_cookie_of_another_program_does_no_harm(project: Path) -> None:
    cookies = f'username-8888="2|1:0|{{"a":1}}"; dawnchorus={ADDRESS.token}; x=\xe9; =; ;'
    headers = [(b"Cookie", cookies.encode("latin-1"))]
    assert browser().get("/api/review", headers=headers).status_code == 200


def test_the_page_may_load_nothing_from_elsewhere(project: Path) -> None:
    for found in (opened().get("/"), browser().get("/")):
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cache-control"] == "no-store"


VALID = b'{"item": 1, "species": "wren", "answer": "present", "reviewer": "Anna"}'
MALFORMED = {
    "no JSON": b"{",
    "a list": b"[]",
    "no UTF-8": b'{"item": 1, "note": "\xff"}',
    "half a character": VALID[:-1] + b', "note": "\\ud800"}',
    "deep": b"[" * 8000,
    "a time": VALID[:-1] + b', "time": "2020-01-01T00:00:00Z"}',
    "no answer": b'{"item": 1, "species": "wren", "reviewer": "Anna"}',
    "another verdict": b'{"item": 1, "species": "wren", "answer": "maybe", "reviewer": "Anna"}',
    "no such item": b'{"item": 99, "species": "wren", "answer": "present", "reviewer": "Anna"}',
    "a true item": b'{"item": true, "species": "wren", "answer": "present", "reviewer": "Anna"}',
    "the species of another item": b'{"item": 1, "species": "robin", "answer": "present", "reviewer": "Anna"}',
    "an unknown species": VALID.replace(b"present", b"other")[:-1] + b', "other_species": ["x"]}',
    "an unknown key": VALID[:-1] + b', "path": "/etc"}',
    "no reviewer": b'{"item": 1, "species": "wren", "answer": "present", "reviewer": " "}',
    "a long name": b'{"item": 1, "species": "wren", "answer": "present", "reviewer": "' + b"a" * 61 + b'"}',
    "two lines": b'{"item": 1, "species": "wren", "answer": "present", "reviewer": "Anna\\nBert"}',
    "endless": VALID[:-1] + b', "seconds": Infinity}',
    "a huge number": VALID[:-1] + b', "seconds": 1'
    + b"0" * 400 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_is_refused_logged_and_not_written(
    project: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Origin": OWN, "Content-Type": "application/json"}
    with caplog.at_level(logging.WARNING, logger="dawnchorus.review"):
        found = opened().post("/api/answers", content=MALFORMED[name], headers=headers)
    assert found.status_code == 400
    assert found.json()["error"].startswith("no valid answer: ")
    assert journal(project) == []
    (record,) = caplog.records
    assert f"refused POST '{ADDRESS.folder}api/answers'" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_large_answer_is_refused_whatever_its_header_states(project: Path) -> None:
    client = opened()
    headers = {"Origin": OWN, "Content-Type": "application/json"}
    large = b'{"note": "' + b"a" * MOST_BYTES + b'"}'
    assert client.post("/api/answers", content=large, headers=headers).status_code == 413
    # Without a length in the header.
    parts = (large[at : at + 1000] for at in range(0, len(large), 1000))
    assert client.post("/api/answers", content=parts, headers=headers).status_code == 413
    assert journal(project) == []


def test_a_form_of_another_page_is_no_answer(project: Path) -> None:
    headers = {"Origin": OWN, "Content-Type": "text/plain"}
    assert opened().post("/api/answers", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "path",
    ["/..%2fsession.json", "/../session.json", "/page/app.js", "/%2e%2e/server.py", "/address.json", "/answers.jsonl",
     "/sound/0", "/sound/99", "/sound/-1", "/sound/1.5", "/sound/1/..", "/reference/0", "/docs", "/%00",
     "//etc/passwd"],
)  # fmt: skip
def test_there_is_nothing_else(project: Path, path: str) -> None:
    found = opened().get(path)
    assert found.status_code in (403, 404), path
    assert "session" not in found.text


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "sounds/../secret.wav", "secret.wav", "../secret.wav", "soundsmore/a.wav", "sounds\0/a.wav"]
)
def test_a_path_outside_the_recordings_is_refused_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    session = make_review(tmp_path)
    for place in ("secret.wav", "soundsmore/a.wav"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes((tmp_path / "sounds/site/a.wav").read_bytes())
    object.__setattr__(session.items[1], "file", file)
    client = TestClient(ReviewServer(session).app(ADDRESS), base_url=BASE, headers=TOKEN)
    found = client.get("/sound/1")
    assert found.status_code == 403
    assert "is not below sounds" in found.json()["error"]
    assert "is not below sounds" in caplog.text
    assert client.get("/sound/2").status_code == 200


@pytest.mark.parametrize("margin", ["-1", "21", "nan", "inf", "x", ""])
def test_a_margin_beyond_the_limits_is_refused(project: Path, margin: str) -> None:
    assert opened().get(f"/sound/1?margin={margin}").status_code == 400


def test_a_recording_that_cannot_be_read_says_so(project: Path) -> None:
    (project / "sounds/site/a.wav").write_bytes(b"no sound")
    found = opened().get("/sound/1")
    assert found.status_code == 422
    assert "a.wav: cannot be decoded" in found.json()["error"]


def test_each_reviewer_sees_the_own_answers_and_all_the_agreement(project: Path) -> None:
    client = program()
    for item, first, second in [(1, "present", "present"), (2, "present", "absent"), (3, "absent", "absent")]:
        client.post("/api/answers", json=answer(item, first, "Anna"))
        client.post("/api/answers", json=answer(item, second, "Bert"))
    own = client.get("/api/answers?reviewer=Anna").json()
    assert [(one["item"], one["answer"]) for one in own] == [(1, "present"), (2, "present"), (3, "absent")]
    # Chance agreement: 2/3 * 1/3 + 1/3 * 2/3 = 4/9; kappa = (2/3 - 4/9) / (1 - 4/9) = 0.4.
    assert client.get("/api/agreement").json() == ["Anna and Bert: 2 of 3 answers agree, Cohen's kappa 0.40"]
    client.post("/api/answers", json=answer(3, "undone", "Anna"))
    assert len(client.get("/api/answers?reviewer=Anna").json()) == 2
    assert client.get("/api/review").json()["reviewers"] == ["Anna", "Bert"]


def test_the_curve_grows_with_the_answers(project: Path) -> None:
    client = program()
    assert client.get("/api/curve?species=wren&reviewer=Anna").json()["points"] == []
    for item, verdict in [(1, "absent"), (2, "unsure"), (3, "present")]:
        client.post("/api/answers", json=answer(item, verdict))
    client.post("/api/answers", json=answer(3, "absent", "Bert"))
    found = client.get("/api/curve?species=wren&reviewer=Anna").json()
    assert [(round(point["score"], 3), point["precision"]) for point in found["points"]] == [(0.143, 0.5), (0.429, 1.0)]
    assert (found["threshold"], found["goal"], found["is_weighted"]) == (0.25, 0.9, True)

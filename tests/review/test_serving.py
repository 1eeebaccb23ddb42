"""`dawnchorus review serve` as a process: what it keeps through kills, restarts and full disks."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from reviews import Server, answer, journal, make_review, review

from dawnchorus.errors import InputError
from dawnchorus.review.address import listen


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_review(tmp_path, 40)
    return tmp_path


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    found = Server.start(project)
    yield found
    found.kill()


def test_it_listens_on_the_loopback_interface_alone_and_keeps_its_token_secret(project: Path, server: Server) -> None:
    addresses = {one.laddr.ip for one in psutil.Process(server.process.pid).net_connections() if one.status == "LISTEN"}
    assert addresses == {"127.0.0.1"}
    file = project / "review/one/address.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(server.token) >= 43
    # What reviewers may read does not tell it.
    httpx.get(f"{server.origin}/api/review?token={server.token}")
    httpx.get(f"{server.origin}/?token=wrong")
    log = (project / "log.txt").read_text()
    assert log.count("the token is missing or not this review's") == 2
    assert server.token not in log


def test_killed_while_two_reviewers_answer_it_has_lost_no_answer_and_goes_on(project: Path, server: Server) -> None:
    confirmed: list[tuple[str, int]] = []

    def review(name: str) -> None:
        with server.client() as client:
            for item in range(1, 21):
                try:
                    found = client.post("/api/answers", json=answer(item, "absent", name))
                except httpx.TransportError:
                    return
                assert found.status_code == 201
                confirmed.append((name, item))
                if len(confirmed) == 15:
                    server.kill()

    with ThreadPoolExecutor() as pool:
        list(pool.map(review, ["Anna", "Bert"]))
    assert len(confirmed) >= 15
    assert {(line["reviewer"], line["item"]) for line in journal(project)} >= set(confirmed)
    again = Server.start(project)
    try:
        assert again.url == server.url
        with again.client() as client:
            for name in ("Anna", "Bert"):
                known = {one["item"] for one in client.get(f"/api/answers?reviewer={name}").json()}
                assert known >= {item for who, item in confirmed if who == name}
            assert client.post("/api/answers", json=answer(20)).status_code == 201
    finally:
        again.kill()


def test_a_full_disk_loses_no_answer(project: Path, server: Server) -> None:
    with server.client() as client:
        for item in range(1, 4):
            assert client.post("/api/answers", json=answer(item)).status_code == 201
        server.fill_disk()
        for _ in range(2):
            found = client.post("/api/answers", json=answer(4))
            assert found.status_code == 507
            assert "answers.jsonl: File too large" in found.json()["error"]
            # No part of a line is left, and the server goes on.
            assert [line["item"] for line in journal(project)] == [1, 2, 3]
        assert len(client.get("/api/answers?reviewer=Anna").json()) == 3
        assert "an answer to item 4 is not saved" in (project / "log.txt").read_text()
        server.empty_disk()
        assert client.post("/api/answers", json=answer(4)).status_code == 201
    assert [line["item"] for line in journal(project)] == [1, 2, 3, 4]


def test_mistakes_are_explained(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    folder = project / "review/one"
    address, listening = listen(folder, None)
    with listening, pytest.raises(InputError, match=f"port {address.port}: cannot be opened"):
        review("serve", "one")
    (folder / "address.json").write_text(json.dumps({"port": "x", "token": ""}))
    with pytest.raises(InputError, match=r"address\.json: is damaged"):
        review("serve", "one")
    shutil.rmtree(project / "sounds")
    with pytest.raises(InputError, match="sounds: is missing"):
        review("serve", "one")
    with pytest.raises(InputError, match="review/two: is no review; found one"):
        review("serve", "two")

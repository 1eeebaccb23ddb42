"""`make download` against a Kaggle on this machine: what arrives, what a user reads, how a broken run goes on."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from tiny import ROOT

COMPETITION = "rfcx-species-audio-detection"
SCRIPT = "workflow/scripts/download.py"
KEY = {"KAGGLE_USERNAME": "someone", "KAGGLE_KEY": "right"}
# The script with shorter waits than a user's; the server's pace is that of a test.
RUN = f"""
import resource, runpy, signal, sys
from dawnchorus.kaggle import download
download.WAITS_S, download.TIMEOUT_S = (0.0, 0.1), 0.5
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = {SCRIPT!r}
"""

# What the client writes at a time, and a broken connection leaves of the largest file.
KEPT = 1 << 16
FLAC = Random(1).randbytes(300_000)  # noqa: S311
BIG = "train/b.flac"


def zipped(**members: bytes) -> bytes:
    """A zip file; in the names, "__" stands for a slash."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return file.getvalue()


class Kaggle:
    """As much of Kaggle's service as its client uses here, as a proxy: the client's requests keep their addresses."""

    def __init__(self) -> None:
        self.files = {
            "sample_submission.csv": b"recording_id,s0\nt,0\n",
            "test/t.flac": FLAC[:1000],
            "tfrecords/train/00-148.tfrec": b"not wanted",
            "train/a.flac": FLAC[:2000],
            "train/old/a.flac": b"not wanted",
            BIG: FLAC,
            "train_fp.csv": b"recording_id\na\n" * 100,
            "train_tp.csv": b"recording_id\nb\n" * 100,
        }
        self.listed = {name: len(content) for name, content in self.files.items()}
        # Kaggle sends larger tables so.
        self.sent = dict(self.files) | {"train_tp.csv": zipped(train_tp_csv=self.files["train_tp.csv"])}
        self.accepted = True
        self.ranges = True
        self.endless = False
        self.token_active = True
        # Names or, for the list, "": answers before the right one.
        self.trouble: dict[str, list[str]] = {}
        # What was sent, and from which byte.
        self.downloads: list[tuple[str, int]] = []
        self.pages = 0
        self.reached = threading.Event()
        self.port = 0

    def environment(self, home: Path, **credentials: str) -> dict[str, str]:
        """Environment variables that lead the client here."""
        inherited = {
            name: value for name, value in os.environ.items() if not re.search("kaggle|proxy|xdg_", name.lower())
        }
        return inherited | credentials | {
            "HOME": str(home), "PYTHONPATH": "src", "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "http_proxy": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """GroundTruth one request of the client."""

    kaggle: Kaggle
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer until the client has enough, which it may say by hanging up."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: pytest shows the script's output."""

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        """Send a whole answer; in the headers' names, "_" stands for "-"."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        # The client would tell the user that it is outdated.
        self.send_header("X-Kaggle-ApiVersion", "99.0.0")
        self.end_headers()
        self.wfile.write(content)

    def answer_json(self, status: int, **content: object) -> None:
        """Send an answer of the programming interface."""
        self.answer(status, json.dumps(content).encode(), Content_Type="application/json")

    def do_POST(self) -> None:
        """Sign in, list files, or say where a file is."""
        kaggle = self.kaggle
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = urlsplit(self.path).path.rsplit("/", 1)[-1]
        if call == "IntrospectToken":
            self.answer_json(200, active=kaggle.token_active, username="someone")
        elif self.headers["Authorization"] not in ("Bearer right", "Basic c29tZW9uZTpyaWdodA=="):
            self.answer_json(401, code=401, message="Unauthenticated")
        elif asked["competitionName"] != COMPETITION:
            self.answer_json(404, code=404, message="Not found")
        elif not kaggle.accepted:
            self.answer_json(403, code=403, message="You must accept this competition's rules")
        elif call == "ListDataFiles":
            self.list(int(asked.get("pageToken") or 0))
        else:
            # On to the storage, which has other names than the list.
            self.answer(302, Location=f"http://storage.invalid/signed?name={asked['fileName']}&signature=secret")

    def list(self, start: int, per_page: int = 3) -> None:
        """Send one page of the list."""
        self.kaggle.pages += 1
        if self.kaggle.trouble.get("") and self.kaggle.trouble[""].pop(0) == "page":
            self.answer(200, b"<html>Welcome to the hotel", Content_Type="text/html")
            return
        names = list(self.kaggle.listed)
        page = [{"name": name, "totalBytes": self.kaggle.listed[name]} for name in names[start : start + per_page]]
        more = start + per_page < len(names) or self.kaggle.endless
        self.answer_json(200, files=page, nextPageToken=str(start + per_page) if more else "")

    def do_GET(self) -> None:
        """Send a file, or the rest of it."""
        kaggle = self.kaggle
        name = parse_qs(urlsplit(self.path).query)["name"][0]
        content = kaggle.sent[name]
        headers = {"Content_Type": "application/octet-stream"}
        start = 0
        if kaggle.ranges:
            headers |= {"Accept_Ranges": "bytes", "ETag": f'"{len(content)}"'}
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted else 0
        # A request for the rest follows one for all, which the client only opens.
        trouble = kaggle.trouble.get(name, [])
        what = trouble.pop(0) if trouble else ""
        kaggle.downloads.append((name, start))
        if what == "busy":
            self.answer(503, b"busy", Retry_After="1")
        elif what == "silence":
            self.close_connection = True
        elif what in ("cut", "stall"):
            self.send_response(206 if start else 200)
            for header, value in headers.items():
                self.send_header(header.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : start + len(content) // 3])
            self.wfile.flush()
            kaggle.reached.set()
            if what == "stall":
                time.sleep(3)
            self.close_connection = True
        else:
            self.answer(206 if start else 200, content[start:], **headers)


@pytest.fixture
def kaggle() -> Iterator[Kaggle]:
    """A server with a small competition."""
    state = Kaggle()
    handler = type("Bound", (Handler,), {"kaggle": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        state.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        server.shutdown()


@pytest.fixture
def start(kaggle: Kaggle, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """A function that starts the script, by default with the right key, after some more lines of code."""

    def run(*options: str, code: str = "", **credentials: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", f"{RUN}{code}\nrunpy.run_path({SCRIPT!r}, run_name='__main__')",
             "--output", str(tmp_path / "data"), *options],
            cwd=ROOT, env=kaggle.environment(tmp_path / "home", **(credentials or KEY)), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return run


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[str]]) -> Run:
    """As `start`, to the end."""

    def wait(*options: str, code: str = "", **credentials: str) -> subprocess.CompletedProcess[str]:
        process = start(*options, code=code, **credentials)
        stdout, stderr = process.communicate(timeout=60)
        assert "Traceback" not in stderr
        assert "secret" not in stderr
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return wait


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder that the script writes."""
    return tmp_path / "data"


def there(folder: Path) -> dict[str, bytes]:
    """What a folder holds under names that are not hidden."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: content for name, content in found.items() if not name.startswith(".")}


def assert_whole(data: Path, kaggle: Kaggle) -> None:
    assert there(data) == {name: content for name, content in kaggle.files.items() if content != b"not wanted"}
    assert sorted(path.name for path in data.iterdir()) == sorted(
        ["sample_submission.csv", "test", "train", "train_fp.csv", "train_tp.csv"]
    )


def assert_one_error(done: subprocess.CompletedProcess[str], *names: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    *before, last = done.stderr.splitlines()
    assert last.startswith("error: ")
    assert not [line for line in before if "error" in line]
    for name in names:
        assert name in last


def test_the_data_set_arrives_whole_without_what_nothing_needs(kaggle: Kaggle, run: Run, data: Path) -> None:
    done = run()
    assert done.returncode == 0, done.stderr
    assert_whole(data, kaggle)
    assert kaggle.pages == 3
    assert Counter(name for name, _ in kaggle.downloads) == Counter(there(data).keys())
    # Nothing of the client's own between it.
    first, *_, last = done.stderr.splitlines()
    assert first == "6 files, 6 of them to download: 0.0 GB"
    assert re.fullmatch(r"6 of 6 files downloaded, took \d+ s", last)
    assert done.stdout == f"The data set is complete; set data.root in params.yaml to {data}.\n"


def test_run_again_only_what_is_missing_or_of_another_size_is_fetched(kaggle: Kaggle, run: Run, data: Path) -> None:
    assert run().returncode == 0
    kaggle.downloads.clear()
    done = run()
    assert done.returncode == 0
    assert done.stderr == "6 files, 0 of them to download: 0.0 GB\n"
    assert kaggle.downloads == []

    (data / "train/a.flac").write_bytes(b"half")
    (data / "train_tp.csv").unlink()
    assert run().returncode == 0
    assert sorted(kaggle.downloads) == [("train/a.flac", 0), ("train_tp.csv", 0)]
    assert_whole(data, kaggle)


def test_an_api_token_is_enough(kaggle: Kaggle, run: Run, data: Path) -> None:
    assert run(KAGGLE_API_TOKEN="right").returncode == 0  # noqa: S106
    assert_whole(data, kaggle)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_cut_in_the_middle_goes_on(kaggle: Kaggle, run: Run, data: Path, ranges: bool) -> None:
    kaggle.ranges = ranges
    kaggle.trouble = {BIG: ["cut"]}
    done = run()
    assert done.returncode == 0, done.stderr
    assert f"{BIG}: the connection to Kaggle failed (ChunkedEncodingError); retrying in 0 s\n" in done.stderr
    assert_whole(data, kaggle)
    # With ranges, the rest alone: the client asks for all, learns that it has a part, and asks for the others.
    starts = [start for name, start in kaggle.downloads if name == BIG]
    assert starts == ([0, 0, KEPT] if ranges else [0, 0])


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("stall", "the connection to Kaggle failed (ConnectionError); retrying in 0 s"),
        ("busy", "Kaggle is busy (503 Server Error: Service Unavailable); retrying in 1 s"),
    ],
)
def test_a_stalled_connection_and_a_busy_server_are_tried_again(
    kaggle: Kaggle, run: Run, data: Path, trouble: str, says: str
) -> None:
    kaggle.trouble = {"train/a.flac": [trouble]}
    done = run()
    assert done.returncode == 0, done.stderr
    assert f"train/a.flac: {says}\n" in done.stderr
    assert_whole(data, kaggle)


def test_an_error_in_place_of_the_rest_is_no_part_of_the_file(kaggle: Kaggle, run: Run, data: Path) -> None:
    # The client asks for the rest, then for all, and writes what comes.
    kaggle.trouble = {BIG: ["cut", "", "busy", "busy"]}
    done = run()
    assert done.returncode == 0, done.stderr
    assert f"{BIG}: the response is invalid (Downloaded file size (4)" in done.stderr
    assert_whole(data, kaggle)


def test_a_connection_that_keeps_breaking_ends_the_run_and_the_next_goes_on(
    kaggle: Kaggle, run: Run, data: Path
) -> None:
    kaggle.trouble = {BIG: ["cut", "silence", "silence"]}
    assert_one_error(run(), BIG, "3 attempts", "run the same command again to resume")
    before = there(data)
    assert BIG not in before
    assert "train/a.flac" in before

    kaggle.downloads.clear()
    assert run().returncode == 0
    assert kaggle.downloads == [(BIG, 0), (BIG, KEPT)]
    assert_whole(data, kaggle)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on(
    kaggle: Kaggle, start: Callable[..., subprocess.Popen[str]], run: Run, data: Path, how: signal.Signals
) -> None:
    kaggle.trouble = {BIG: ["stall"]}
    process = start(code="download.TIMEOUT_S = 60.0")
    assert kaggle.reached.wait(30)
    part = data / ".writing.download" / BIG
    for _ in range(500):
        if part.exists() and part.stat().st_size:
            break
        time.sleep(0.02)
    process.send_signal(how)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in stderr
    if how == signal.SIGINT:
        assert stderr.endswith("error: stopped; run the same command again to resume\n")
    before = there(data)
    assert BIG not in before

    kaggle.downloads.clear()
    assert run().returncode == 0
    assert [name for name, _ in kaggle.downloads] == [BIG, BIG]
    assert kaggle.downloads[1][1] > 0
    assert_whole(data, kaggle)


def test_another_size_than_listed_is_an_error(kaggle: Kaggle, run: Run, data: Path) -> None:
    kaggle.listed["train/a.flac"] = 2001
    assert_one_error(run(), "train/a.flac", "2000 bytes", "2001")
    assert "train/a.flac" not in there(data)


@pytest.mark.parametrize(
    ("archive", "names"),
    [
        (zipped(__outside_csv=b"x", train_tp_csv=b"recording_id\nb\n" * 100), ["'/outside.csv'", "outside the folder"]),
        (zipped(**{"..__..__outside_csv": b"x"}), ["'../../outside.csv'", "outside the folder"]),
        (zipped(readme=b"x"), ["missing in the zip file", "readme"]),
        (zipped(train_tp_csv=b"x" * 1_000_000), ["1000000 bytes", "1500"]),
        (zipped(train_tp_csv=b"recording_id\nb\n" * 100)[:-30], ["damaged zip", "same command again"]),
    ],
)
def test_a_zip_file_with_anything_but_the_table_is_refused(
    kaggle: Kaggle, run: Run, data: Path, archive: bytes, names: list[str]
) -> None:
    kaggle.sent["train_tp.csv"] = archive
    assert_one_error(run(), "train_tp.csv", *names)
    assert there(data) == {}
    assert not list(data.parent.rglob("outside*"))
    assert not list(data.rglob("*.csv"))


@pytest.mark.parametrize("name", ["train/../../outside.flac", "/tmp/outside.flac", "C:\\outside"])  # noqa: S108
def test_a_listed_name_outside_the_folder_is_refused(kaggle: Kaggle, run: Run, data: Path, name: str) -> None:
    kaggle.listed[name] = 1000
    kaggle.sent[name] = FLAC[:1000]
    assert_one_error(run(), repr(name), "outside the folder", "nothing was downloaded")
    assert kaggle.downloads == []
    assert not data.exists()


def test_a_list_without_the_tables_is_an_error(kaggle: Kaggle, run: Run, data: Path) -> None:
    del kaggle.listed["train_fp.csv"]
    assert_one_error(run(), "7 files", "no train_fp.csv")
    assert not data.exists()


def test_a_list_that_does_not_go_on_is_an_error(kaggle: Kaggle, run: Run, data: Path) -> None:
    kaggle.endless = True
    assert_one_error(run(), "stops early, after 8 files")


def test_a_page_that_is_not_kaggles_is_an_error(kaggle: Kaggle, run: Run) -> None:
    kaggle.trouble = {"": ["page"] * 3}
    assert_one_error(run(), "the list of files", "is invalid", "check the network")


@pytest.mark.parametrize(
    ("credentials", "names"),
    [
        ({"SOME": "variable"}, ["no credentials", "settings/api", "KAGGLE_API_TOKEN"]),
        ({"KAGGLE_USERNAME": "someone", "KAGGLE_KEY": "wrong"}, ["Unauthenticated", "settings/api"]),
        ({"KAGGLE_API_TOKEN": "wrong"}, ["rejects the API token in KAGGLE_API_TOKEN", "settings/api"]),
    ],
)
def test_without_the_right_credentials_the_page_is_named(
    kaggle: Kaggle, run: Run, data: Path, credentials: dict[str, str], names: list[str]
) -> None:
    kaggle.token_active = False
    done = run(**credentials)
    assert_one_error(done, *names)
    assert len(done.stderr.splitlines()) == 1
    assert not data.exists()


def test_the_page_with_the_rules_is_named(kaggle: Kaggle, run: Run, data: Path) -> None:
    kaggle.accepted = False
    done = run()
    assert_one_error(done, "must accept", f"https://www.kaggle.com/c/{COMPETITION}/rules")
    assert len(done.stderr.splitlines()) == 1
    assert not data.exists()


def test_an_unknown_competition_is_named(run: Run) -> None:
    assert_one_error(run("--competition", "rfcx"), "Not found", "'rfcx'")


@pytest.mark.parametrize("credentials", [KEY, {"KAGGLE_API_TOKEN": "right"}])
def test_without_a_network_one_message_says_so(
    kaggle: Kaggle, run: Run, data: Path, credentials: dict[str, str]
) -> None:
    kaggle.port = 9
    assert_one_error(run(**credentials), "the connection to Kaggle failed", "check the network")
    assert not data.exists()


def test_a_full_disk_ends_the_run_at_once_with_what_to_check(kaggle: Kaggle, run: Run, data: Path) -> None:
    done = run(code="resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))")
    assert_one_error(done, "File too large", "check disk space")
    assert "retrying" not in done.stderr
    assert BIG not in there(data)


def test_a_folder_that_cannot_be_written_is_named(run: Run, data: Path) -> None:
    data.write_text("a file where a folder should be")
    assert_one_error(run(), str(data), "permissions")


def test_make_takes_the_folder_and_git_ignores_the_usual_one() -> None:
    plan = ["make", "--dry-run", "download"]
    assert '--output "data/rfcx"' in subprocess.run(plan, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    elsewhere = subprocess.run([*plan, "DATA=/a b"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '--output "/a b"' in elsewhere
    subprocess.run(["git", "check-ignore", "--quiet", "data/rfcx/train/a.flac"], cwd=ROOT, check=True)

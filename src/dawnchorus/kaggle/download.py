"""A competition's recordings and tables from Kaggle, file by file, through Kaggle's own client."""

import contextlib
import io
import shutil
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm

from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.progress import track

T = TypeVar("T")


# What the workflow reads; a competition's other files (RFCx: TFRecords) are left alone.
WANTED = ("train_tp.csv", "train_fp.csv", "sample_submission.csv", "test/*.flac", "train/*.flac")


TOKEN_PAGE = "https://www.kaggle.com/settings/api"  # noqa: S105


AGAIN = "the same command goes on where this one stopped"


# Unfinished files, in the data set's folder; Git and DVC ignore the name.
UNFINISHED = ".writing.download"


# Before the second, third ... attempt at the same request.
WAITS_S = (1.0, 5.0, 20.0)


# A connection that brings nothing for so long counts as broken.
TIMEOUT_S = 60.0


FILES_PER_PAGE = 200


# A broken connection loses less than this of what came.
CHUNK_BYTES = 1 << 16


def download(competition: str, output: Path) -> None:
    """Fetch the files that the workflow reads into a folder; one that is there with the listed size stays.

    A file appears under its final name when it is whole. What a broken run has of a file is kept beside, and the next
    run fetches the rest of it.

    Args:
        competition: its name in Kaggle's addresses.
        output: the data set's folder; it may be missing.

    Raises:
        InputError: Kaggle refuses or cannot be reached, or what it sends is not what it lists.
    """
    # The client writes help and warnings of its own there.
    with contextlib.redirect_stdout(io.StringIO()), _connected(competition) as kaggle:
        sizes = _wanted(kaggle.listed_sizes(), competition)
        missing = {name: size for name, size in sizes.items() if not _is_whole(output / name, size)}
        gigabytes = sum(missing.values()) / 1e9
        print(f"{len(sizes)} files, {len(missing)} of them to download: {gigabytes:.1f} GB", file=sys.stderr)
        for name, size in track(missing.items(), len(missing), "files downloaded") if missing else ():
            unfinished = output / UNFINISHED / name
            kaggle.fetch(name, unfinished)
            try:
                _finish(unfinished, name, size, output / name)
            finally:
                unfinished.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(output / UNFINISHED)


class _Kaggle:
    """One competition's files as Kaggle's client gives them."""

    def __init__(self, competition: str, api: Any, client: Any) -> None:
        """Take a signed-in `KaggleApi` and a connection that it built."""
        self._competition, self._api, self._client = competition, api, client
        self._service = client.competitions.competition_api_client

    def listed_sizes(self) -> dict[str, int]:
        """The size in bytes of each of the competition's files, by its path in the data set."""
        from kagglesdk.competitions.types.competition_api_service import ApiListDataFilesRequest

        request = ApiListDataFilesRequest()
        request.competition_name, request.page_size = self._competition, FILES_PER_PAGE
        sizes: dict[str, int] = {}
        while True:
            page = _patiently(lambda: self._service.list_data_files(request), "the list of files", self._competition)
            new = {file.name: file.total_bytes for file in page.files if file.name not in sizes}
            sizes |= new
            if not page.next_page_token:
                return sizes
            if not new:
                raise InputError(f"Kaggle's list of files does not go on after {len(sizes)} files; try again later")
            request.page_token = page.next_page_token

    def fetch(self, name: str, path: Path) -> None:
        """Write what Kaggle sends for a listed file; a part of it that is there already is not sent again."""
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFileRequest

        request = ApiDownloadDataFileRequest()
        request.competition_name, request.file_name = self._competition, name

        def receive() -> None:
            with self._service.download_data_file(request) as response:
                try:
                    # Without the client's own attempts: they keep an address that expires, and repeat on a full disk.
                    self._api.download_file(
                        response,
                        str(path),
                        self._client.http_client(),
                        resume=True,
                        chunk_size=CHUNK_BYTES,
                        max_retries=0,
                        timeout=TIMEOUT_S,
                    )
                except ValueError:
                    # More or less than announced: not a part of the file, so nothing to go on from.
                    path.unlink(missing_ok=True)
                    raise

        _patiently(receive, name, self._competition)


@contextlib.contextmanager
def _connected(competition: str) -> Iterator[_Kaggle]:
    api = _patiently(_signed_in, "signing in", competition)
    with api.build_kaggle_client() as client:
        for scheme in ("https://", "http://"):
            client.http_client()._session.mount(scheme, _Impatient())
        yield _Kaggle(competition, api, client)


def _signed_in() -> Any:
    """Kaggle's client with the user's credentials, from wherever it looks for them."""
    try:
        # Here, because importing the package signs in, and prints and exits where that fails.
        from kaggle.api.kaggle_api_extended import KaggleApi

        api = KaggleApi()
        api.authenticate()
    except SystemExit:
        from kagglesdk import get_access_token_from_env

        token, source = get_access_token_from_env()
        found = f"Kaggle does not accept the API token in {source}" if token else "found no credentials for Kaggle"
        raise InputError(
            f"{found}; make a token on {TOKEN_PAGE}, and set KAGGLE_API_TOKEN to it or save it as "
            "~/.kaggle/access_token"
        ) from None
    return api


class _Impatient(HTTPAdapter):
    """Gives requests a time limit; the client sets none, and would wait for ever on a stalled connection."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        return super().send(*args, **options | {"timeout": TIMEOUT_S})


def _patiently(call: Callable[[], T], what: str, competition: str) -> T:
    """Call; again after a while if the connection broke or Kaggle is busy.

    Raises:
        InputError: Kaggle refuses, or all attempts failed.
    """
    waits = list(WAITS_S)
    while True:
        try:
            return call()
        except (requests.RequestException, ValueError) as error:
            reason, pause = _diagnosed(error, what, competition)
            if not waits:
                raise InputError(
                    f"{what}: {reason}, {len(WAITS_S) + 1} times; check the network and run it again: {AGAIN}"
                ) from None
            pause = max(pause, waits.pop(0))
            # Above the bar, where there is one.
            tqdm.write(f"{what}: {reason}; trying again in {pause:.0f} s", file=sys.stderr)
            time.sleep(pause)


def _diagnosed(error: Exception, what: str, competition: str) -> tuple[str, float]:
    """Why a request failed, in words, and how many seconds Kaggle wants to be left alone.

    The error's own text may hold an address that gives access to the file, so it is not shown.

    Raises:
        InputError: it would fail again.
    """
    response = getattr(error, "response", None)
    if isinstance(error, requests.HTTPError) and response is not None:
        status, says = response.status_code, str(error).split(" for url:")[0]
        if status == 401:
            raise InputError(f"Kaggle does not accept the credentials ({says}); make a token on {TOKEN_PAGE}") from None
        if status == 403:
            rules = f"https://www.kaggle.com/c/{competition}/rules"
            raise InputError(f"{what}: Kaggle refuses it ({says}); sign in and accept the rules on {rules}") from None
        if status == 404:
            raise InputError(f"{what}: Kaggle does not have it ({says}); check the name {competition!r}") from None
        if status not in (408, 429) and status < 500:
            raise InputError(f"{what}: Kaggle does not give it ({says})") from None
        wanted = response.headers.get("Retry-After", "")
        return f"Kaggle is busy ({says})", float(wanted) if wanted.isdigit() else 0.0
    if isinstance(error, ValueError):
        return f"the answer is not usable ({error})", 0.0
    return f"the connection to Kaggle failed ({type(error).__name__})", 0.0


def _wanted(sizes: dict[str, int], competition: str) -> dict[str, int]:
    """The files that the workflow reads, the tables first."""
    for name in sizes:
        if _leads_out(name):
            raise InputError(f"Kaggle lists a file {name!r}, which would lie outside the folder; nothing is downloaded")
    wanted: dict[str, int] = {}
    for pattern in WANTED:
        depth = pattern.count("/")
        found = {name: sizes[name] for name in sizes if fnmatchcase(name, pattern) and name.count("/") == depth}
        if not found:
            raise InputError(f"Kaggle lists {len(sizes)} files of {competition!r}, but no {pattern}; check the name")
        wanted |= found
    return wanted


def _finish(sent: Path, name: str, size: int, target: Path) -> None:
    """Give what was sent for a listed file its final name, unpacked and checked."""
    with sent.open("rb") as file:
        # By content: only the address would tell otherwise. Neither FLAC nor CSV begins so.
        zipped = file.read(4) == b"PK\x03\x04"
    if zipped:
        with replacing(target) as path:
            unpack(sent, name, size, path)
    else:
        _require_size(name, sent.stat().st_size, size)
        target.parent.mkdir(parents=True, exist_ok=True)
        sent.replace(target)


def unpack(archive: Path, name: str, size: int, path: Path) -> None:
    """Write the one member that is the listed file."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = {member.filename: member for member in zipped.infolist()}
            for member in members:
                if _leads_out(member):
                    raise InputError(
                        f"{name}: Kaggle sent a zip file with {member!r}, which would lie outside the folder; "
                        "it was removed"
                    )
            expected = members.get(PurePosixPath(name).name) or members.get(name)
            if expected is None:
                raise InputError(f"{name}: Kaggle sent a zip file without it, but with {', '.join(members)}")
            # Before it fills the disk.
            _require_size(name, expected.file_size, size)
            with zipped.open(expected) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InputError(f"{name}: Kaggle sent a damaged zip file ({error}); run the same command again") from None


def _require_size(name: str, found: int, expected: int) -> None:
    if found != expected:
        raise InputError(
            f"{name}: Kaggle sent {found} bytes, expected {expected} as listed; "
            f"it was not kept, so run the same command again"
        )


def _leads_out(name: str) -> bool:
    # Windows' rules also know those of other systems.
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size

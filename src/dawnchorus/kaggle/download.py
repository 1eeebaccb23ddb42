"""Download of a competition's recordings and tables, file by file, with Kaggle's own client."""

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

# The files that the workflow reads. Others, such as RFCx's TFRecords, are not downloaded.
WANTED = ("train_tp.csv", "train_fp.csv", "sample_submission.csv", "test/*.flac", "train/*.flac")

TOKEN_PAGE = "https://www.kaggle.com/settings/api"  # noqa: S105

AGAIN = "run the same command again to resume"

# Folder of partial files inside the data set's folder. Git and DVC ignore the name.
UNFINISHED = ".writing.download"

# Waits before the second and later attempts at a request.
WAITS_S = (1.0, 5.0, 20.0)

# A connection that delivers no data for this long counts as broken.
TIMEOUT_S = 60.0

FILES_PER_PAGE = 200

# A broken connection loses less than one chunk of the received data.
CHUNK_BYTES = 1 << 16


def download(competition: str, output: Path) -> None:
    """Download the files that the workflow reads, except those already present with the listed size.

    A file gets its final name once it is complete. An interrupted run keeps the part it received, and the next run
    fetches the rest.

    Args:
        competition: its name in Kaggle's URLs.
        output: the data set's folder; created if missing.

    Raises:
        InputError: Kaggle denies access or cannot be reached, or a file differs from Kaggle's list.
    """
    # Kaggle's client prints its own help and warnings to stdout.
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
    """Access to one competition's files through Kaggle's client."""

    def __init__(self, competition: str, api: Any, client: Any) -> None:
        """Use an authenticated `KaggleApi` and a connection that it created."""
        self._competition, self._api, self._client = competition, api, client
        self._service = client.competitions.competition_api_client

    def listed_sizes(self) -> dict[str, int]:
        """The size in bytes of each of the competition's files, by path in the data set."""
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
                raise InputError(f"Kaggle's list of files stops early, after {len(sizes)} files; try again later")
            request.page_token = page.next_page_token

    def fetch(self, name: str, path: Path) -> None:
        """Download a listed file to `path`, or the rest of it if a part is already there."""
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFileRequest

        request = ApiDownloadDataFileRequest()
        request.competition_name, request.file_name = self._competition, name

        def receive() -> None:
            with self._service.download_data_file(request) as response:
                try:
                    # The client's own retries reuse a URL that expires, and repeat on a full disk, so they are off.
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
                    # The length differs from the announced one, so this is not a part of the file to resume from.
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
    """Kaggle's client, authenticated with the user's credentials from any place it searches."""
    try:
        # Imported here because the import signs in; if that fails, it prints and exits.
        from kaggle.api.kaggle_api_extended import KaggleApi

        api = KaggleApi()
        api.authenticate()
    except SystemExit:
        from kagglesdk import get_access_token_from_env

        token, source = get_access_token_from_env()
        found = f"Kaggle rejects the API token in {source}" if token else "found no credentials for Kaggle"
        raise InputError(
            f"{found}; create a token at {TOKEN_PAGE}, then set KAGGLE_API_TOKEN to it or save it as "
            "~/.kaggle/access_token"
        ) from None
    return api


class _Impatient(HTTPAdapter):
    """Adds a timeout to requests. The client sets none, so it would wait forever on a stalled connection."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        return super().send(*args, **options | {"timeout": TIMEOUT_S})


def _patiently(call: Callable[[], T], what: str, competition: str) -> T:
    """Call a function, and retry it after a while if the connection broke or Kaggle is busy.

    Raises:
        InputError: Kaggle denies the request, or all attempts failed.
    """
    waits = list(WAITS_S)
    while True:
        try:
            return call()
        except (requests.RequestException, ValueError) as error:
            reason, pause = _diagnosed(error, what, competition)
            if not waits:
                raise InputError(
                    f"{what}: {reason}, in all {len(WAITS_S) + 1} attempts; check the network, then {AGAIN}"
                ) from None
            pause = max(pause, waits.pop(0))
            # Written above the progress bar, if there is one.
            tqdm.write(f"{what}: {reason}; retrying in {pause:.0f} s", file=sys.stderr)
            time.sleep(pause)


def _diagnosed(error: Exception, what: str, competition: str) -> tuple[str, float]:
    """Why a request failed, and how many seconds Kaggle asks to wait before the next one.

    The text of the error may contain a URL that grants access to the file, so it is not shown.

    Raises:
        InputError: a retry would fail, too.
    """
    response = getattr(error, "response", None)
    if isinstance(error, requests.HTTPError) and response is not None:
        status, says = response.status_code, str(error).split(" for url:")[0]
        if status == 401:
            raise InputError(f"Kaggle rejects the credentials ({says}); create a token at {TOKEN_PAGE}") from None
        if status == 403:
            rules = f"https://www.kaggle.com/c/{competition}/rules"
            raise InputError(f"{what}: Kaggle denies access ({says}); accept the rules at {rules}") from None
        if status == 404:
            raise InputError(f"{what}: missing on Kaggle ({says}); check the name {competition!r}") from None
        if status not in (408, 429) and status < 500:
            raise InputError(f"{what}: Kaggle denies the request ({says})") from None
        wanted = response.headers.get("Retry-After", "")
        return f"Kaggle is busy ({says})", float(wanted) if wanted.isdigit() else 0.0
    if isinstance(error, ValueError):
        return f"the response is invalid ({error})", 0.0
    return f"the connection to Kaggle failed ({type(error).__name__})", 0.0


def _wanted(sizes: dict[str, int], competition: str) -> dict[str, int]:
    """The files that the workflow reads, the tables first."""
    for name in sizes:
        if _leads_out(name):
            raise InputError(f"Kaggle lists a file {name!r}, which would be outside the folder; nothing was downloaded")
    wanted: dict[str, int] = {}
    for pattern in WANTED:
        depth = pattern.count("/")
        found = {name: sizes[name] for name in sizes if fnmatchcase(name, pattern) and name.count("/") == depth}
        if not found:
            raise InputError(f"Kaggle lists {len(sizes)} files of {competition!r}, but no {pattern}; check the name")
        wanted |= found
    return wanted


def _finish(sent: Path, name: str, size: int, target: Path) -> None:
    """Unpack and check a downloaded file, and give it its final name."""
    with sent.open("rb") as file:
        # Only the content or the URL shows whether a file is zipped. Neither FLAC nor CSV starts with these bytes.
        zipped = file.read(4) == b"PK\x03\x04"
    if zipped:
        with replacing(target) as path:
            unpack(sent, name, size, path)
    else:
        _require_size(name, sent.stat().st_size, size)
        target.parent.mkdir(parents=True, exist_ok=True)
        sent.replace(target)


def unpack(archive: Path, name: str, size: int, path: Path) -> None:
    """Extract the listed file from a zip archive.

    Args:
        archive: the zip archive.
        name: path of the listed file in the data set.
        size: its listed size, bytes.
        path: where to write it.

    Raises:
        InputError: the archive is damaged, lacks the file, has it with another size, or has a member whose path leads
            out of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = {member.filename: member for member in zipped.infolist()}
            for member in members:
                if _leads_out(member):
                    raise InputError(
                        f"{name}: Kaggle sent a zip file with {member!r}, which would be outside the folder; "
                        "the zip file was removed"
                    )
            expected = members.get(PurePosixPath(name).name) or members.get(name)
            if expected is None:
                raise InputError(f"{name}: missing in the zip file that Kaggle sent; it contains {', '.join(members)}")
            # Checked first, so that a wrong file cannot fill the disk.
            _require_size(name, expected.file_size, size)
            with zipped.open(expected) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InputError(f"{name}: Kaggle sent a damaged zip file ({error}); run the same command again") from None


def _require_size(name: str, found: int, expected: int) -> None:
    if found != expected:
        raise InputError(
            f"{name}: Kaggle sent {found} bytes, expected {expected} as listed; "
            "the file was discarded, so run the same command again"
        )


def _leads_out(name: str) -> bool:
    # Windows' path rules cover those of other systems, too.
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size

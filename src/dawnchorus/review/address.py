"""The address of a review's server: its port and its secret token, which stay the same when it is started again."""

import hashlib
import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from dawnchorus.errors import InputError

HOST = "127.0.0.1"
# Browsers may open the server under both names.
HOSTS = (HOST, "localhost")
FILE = "address.json"
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Address:
    """Where a server listens, and what opens it.

    Attributes:
        port: on this machine's loopback interface.
        token: whoever has it may listen and answer.
    """

    port: int
    token: str

    @property
    def folder(self) -> str:
        """The path below which everything is, `/<letters>/`.

        Browsers send a cookie to all ports of a host, but only below its path. Another server on this machine does not
        know the path, so it never gets the cookie with the token.
        """
        return f"/{hashlib.sha256(self.token.encode()).hexdigest()[:16]}/"

    @property
    def url(self) -> str:
        """What a reviewer opens."""
        return f"http://{HOST}:{self.port}{self.folder}?token={self.token}"


def read_address(folder: Path) -> Address | None:
    """The address of a review that has been served before, else None.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text())
        address = Address(found["port"], found["token"])
        if not (type(address.port) is int and type(address.token) is str and len(address.token) >= TOKEN_BYTES):
            raise ValueError("it has no valid port and token")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged: {error}; remove it, and start the server again") from error
    return address


def listen(folder: Path, port: int | None) -> tuple[Address, socket.socket]:
    """Open the port of a review, and keep its address in the review's folder, readable by its owner alone.

    Args:
        folder: of the review.
        port: to listen on; None for that of the last time, or for any free one.

    Raises:
        InputError: the port is in use or reserved, or the file with the address is damaged.
    """
    known = read_address(folder)
    wanted = port if port is not None else known.port if known else 0
    # With the protocol stated, asyncio sends small responses at once; else each waits 40 ms for the browser.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Connections of a server that was killed do not block the port.
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, wanted))
        found.listen(128)
    except (OSError, OverflowError) as error:
        found.close()
        raise InputError(
            f"port {wanted}: cannot be opened: {error}; a server of this review may be running; if not, choose another "
            "port with --port"
        ) from error
    address = Address(found.getsockname()[1], known.token if known else secrets.token_urlsafe(TOKEN_BYTES))
    _write(folder / FILE, address)
    return address, found


def _write(path: Path, address: Address) -> None:
    temporary = path.with_name(f".writing.{path.name}")
    temporary.unlink(missing_ok=True)
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as stream:
        json.dump(asdict(address), stream)
    temporary.replace(path)

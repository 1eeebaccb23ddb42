"""The commands of `dawnchorus review` around the page: `serve`, `export` and `import`."""

import argparse
import math
from importlib.util import find_spec
from pathlib import Path

from dawnchorus.errors import InputError
from dawnchorus.review.session import read_session

# Browsers open it, and it can be mailed.
MOST_MB = 50.0


def add_page_commands(actions: argparse._SubParsersAction) -> None:
    """Add the commands to the parser of `dawnchorus review`."""
    serve = actions.add_parser("serve", help="open the local page on which reviewers listen and answer")
    serve.add_argument("review", metavar="REVIEW", help="name of the review, or its folder")
    serve.add_argument(
        "--port", type=_port, metavar="PORT",
        help="port on this machine's loopback interface (default: that of the last time, or any free one)",
    )  # fmt: skip
    serve.set_defaults(command=_serve)
    export = actions.add_parser("export", help="write a small review as one HTML file with sound, for use elsewhere")
    export.add_argument("review", metavar="REVIEW", help="name of the review, or its folder")
    export.add_argument("--output", type=Path, required=True, metavar="FILE.html", help="the file to write")
    export.add_argument(
        "--limit", type=_megabytes, default=MOST_MB, metavar="MB",
        help="largest size of the file (default: %(default)g MB)",
    )  # fmt: skip
    export.set_defaults(command=_export)
    imported = actions.add_parser("import", help="add the answers that an exported page saved")
    imported.add_argument("review", metavar="REVIEW", help="name of the review, or its folder")
    imported.add_argument("file", type=Path, metavar="FILE", help="the file of answers, *.jsonl")
    imported.set_defaults(command=_import)


def _port(text: str) -> int:
    # Browsers leave 80 out of addresses, and lower ones are the system's.
    if not (text.isdecimal() and 1024 <= int(text) < 65536):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1024 to 65535")
    return int(text)


def _megabytes(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return found


def _serve(options: argparse.Namespace) -> None:
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise InputError("the page needs Starlette and uvicorn, which are missing; pip install 'dawnchorus[review]'")
    # Other commands work without them.
    from dawnchorus.review.address import listen
    from dawnchorus.review.server import ReviewServer, serve

    session = read_session(options.review)
    server = ReviewServer(session)
    address, listening = listen(session.folder, options.port)
    print(
        f"{session.folder}: {len(session.items)} items. Open this address in a browser on this machine; whoever has it "
        "can listen and answer:",
        f"  {address.url}",
        "Ctrl+C ends the server. The same command starts it again at the same address.",
        sep="\n",
        flush=True,
    )
    serve(server, address, listening)


def _export(options: argparse.Namespace) -> None:
    from dawnchorus.review.offline import export_page

    size = export_page(read_session(options.review), options.output, options.limit)
    print(
        f"{options.output}: {size / 1e6:.1f} MB. The reviewer opens it in a browser, answers, and saves the answers as "
        f"a file; `dawnchorus review import {options.review} FILE` adds them."
    )


def _import(options: argparse.Namespace) -> None:
    from dawnchorus.review.offline import import_answers

    found = import_answers(read_session(options.review), options.file)
    names = ", ".join(found.reviewers) or "nobody"
    print(f"{found.new} new answers by {names}; {found.known} were known or older than a known one")

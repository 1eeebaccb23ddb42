"""The local server of a review, `dawnchorus review serve`: it gives clips and takes answers.

An answer is on disk before the response says so. `guard.py` keeps everybody out who does not have the token.
"""

import errno
import json
import logging
import math
import socket
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from dawnchorus.errors import InputError
from dawnchorus.review.address import Address
from dawnchorus.review.agreement import agreement_lines
from dawnchorus.review.curve import evidence
from dawnchorus.review.guard import Guard, shown
from dawnchorus.review.journal import Answer
from dawnchorus.review.page_files import INDEX, page_files
from dawnchorus.review.review_data import require_reviewer, review_data
from dawnchorus.review.session import Session
from dawnchorus.review.sounds import (
    OutsideError,
    ReviewSound,
    item_sound,
    read_references,
    reference_facts,
    reference_sound,
    require_root,
)
from dawnchorus.review.standing import StandingAnswers

logger = logging.getLogger("dawnchorus.review")

# Of the body of a request with an answer.
MOST_BYTES = 16_384
MOST_MARGIN = 20.0
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ReviewServer:
    """What the routes of one review answer."""

    def __init__(self, session: Session) -> None:
        """Read what the page needs.

        Raises:
            InputError: the recordings or a table are missing or damaged.
        """
        self._session = session
        self._root = Path(session.info.data_root)
        require_root(self._root)
        self._answers = StandingAnswers(session)
        self._references = read_references()
        self._files = page_files()
        self._data = review_data(session)

    def app(self, address: Address) -> Starlette:
        """The application, guarded."""
        routes = [
            Route("/api/review", self._review),
            Route("/api/answers", self._own_answers, methods=["GET"]),
            Route("/api/answers", self._take_answer, methods=["POST"]),
            Route("/api/references", self._species_references),
            Route("/api/curve", self._curve),
            Route("/api/agreement", self._agreement),
            Route("/sound/{item:int}", self._item_sound),
            Route("/reference/{number:int}", self._reference_sound),
            Route("/", self._file),
            Route("/{name}", self._file),
        ]
        return Starlette(
            routes=[Mount(address.folder.rstrip("/"), routes=routes)],
            middleware=[Middleware(Guard, address=address)],
            exception_handlers={HTTPException: _error, InputError: _unreadable, OutsideError: _outside},
        )

    def _file(self, request: Request) -> Response:
        found = self._files.get(request.path_params.get("name", INDEX))
        if found is None:
            raise HTTPException(404, "there is no such page")
        return Response(found[0], media_type=found[1])

    def _review(self, request: Request) -> Response:
        reviewers = sorted({reviewer for _, reviewer in self._answers.current()})
        return JSONResponse({**self._data, "reviewers": reviewers})

    def _own_answers(self, request: Request) -> Response:
        reviewer = request.query_params.get("reviewer", "")
        return JSONResponse([asdict(one) for one in self._answers.current().values() if one.reviewer == reviewer])

    async def _take_answer(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "the content type is not application/json")
        body = await _body(request)
        try:
            found = json.loads(body)
            if not isinstance(found, dict) or "time" in found:
                raise ValueError("expected an object without a time")
            answer = Answer.of({**found, "time": datetime.now(UTC).isoformat(timespec="milliseconds")})
            require_reviewer(answer.reviewer)
            # Writing waits for the disk; other reviewers should not.
            await run_in_threadpool(self._session.answer, answer)
        except (ValueError, OverflowError, RecursionError) as error:
            raise HTTPException(400, f"no valid answer: {error}") from error
        except OSError as error:
            logger.error("an answer to item %d is not saved: %s", answer.item, error)
            status = 507 if error.errno in FULL else 500
            raise HTTPException(status, f"{error.filename}: {error.strerror}") from error
        return JSONResponse(asdict(answer), 201)

    def _species_references(self, request: Request) -> Response:
        species = request.query_params.get("species", "")
        return JSONResponse([reference_facts(one) for one in self._references if one.species == species])

    def _curve(self, request: Request) -> Response:
        species, reviewer = (request.query_params.get(key, "") for key in ("species", "reviewer"))
        found = evidence(self._session.items, self._answers.current().values(), species, reviewer)
        curve = found.curve
        points = zip(*(getattr(curve, name).tolist() for name in ("score", "precision", "low", "high")), strict=True)
        return JSONResponse({
            "points": [dict(zip(("score", "precision", "low", "high"), point, strict=True)) for point in points],
            "present": found.present,
            "absent": found.absent,
            "is_weighted": found.is_weighted,
            "threshold": self._session.info.thresholds.get(species),
            "goal": self._session.info.precision,
        })  # fmt: skip

    def _agreement(self, request: Request) -> Response:
        return JSONResponse(agreement_lines(list(self._answers.current().values())))

    def _item_sound(self, request: Request) -> Response:
        item = self._session.items.get(request.path_params["item"])
        if item is None:
            raise HTTPException(404, "there is no such item")
        try:
            margin = float(request.query_params.get("margin", "1"))
        except ValueError:
            margin = math.nan
        if not 0 <= margin <= MOST_MARGIN:
            raise HTTPException(400, f"margin must be a number from 0 to {MOST_MARGIN:g}")
        return _sound_response(item_sound(item, self._root, margin))

    def _reference_sound(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number >= len(self._references):
            raise HTTPException(404, "there is no such reference")
        return _sound_response(reference_sound(self._references[number]))


async def _body(request: Request) -> bytes:
    """The body of a request, which may be `MOST_BYTES` long whatever its header states."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"an answer of more than {MOST_BYTES} bytes")
    return body


def _sound_response(sound: ReviewSound) -> Response:
    return Response(sound.flac, media_type="audio/flac", headers={"X-Clip": json.dumps(sound.facts)})


def _refused(request: Request, status: int, reason: str) -> Response:
    logger.warning("refused %s %s: %s", request.method, shown(request.url.path), shown(reason))
    return JSONResponse({"error": reason}, status)


def _error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _refused(request, error.status_code, error.detail)


def _unreadable(request: Request, error: Exception) -> Response:
    """A recording that cannot be decoded; the page shows why."""
    return _refused(request, 422, str(error))


def _outside(request: Request, error: Exception) -> Response:
    return _refused(request, 403, str(error))


def serve(server: ReviewServer, address: Address, listening: socket.socket) -> None:
    """Serve a review until the process is interrupted.

    Args:
        server: what to serve.
        address: from `address.listen`.
        listening: from `address.listen`.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        server.app(address),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
    )
    # Ctrl+C is how it ends.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])

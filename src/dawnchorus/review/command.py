"""The subcommands of `dawnchorus review`."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from dawnchorus.errors import InputError
from dawnchorus.review.items import PURPOSES
from dawnchorus.review.page_options import add_page_commands
from dawnchorus.review.session import read_session, review_lines


def add_review(commands: argparse._SubParsersAction) -> None:
    """Add `review` and its actions to the commands of a parser."""
    parser = commands.add_parser("review", help="listen to windows, answer what calls in them, and learn from answers")
    actions = parser.add_subparsers(required=True)
    start = actions.add_parser("start", help="choose what to listen to")
    start.add_argument("results", type=Path, help="results of a finished run, or the output of dawnchorus detect")
    start.add_argument(
        "--purpose", required=True, choices=PURPOSES,
        help="measure: a random sample, for precision and call density; improve: the windows that teach the model the "
        "most; confirm: the best detections",
    )  # fmt: skip
    start.add_argument("--species", nargs="+", default=[], metavar="CODE", help="species to ask about (default: all)")
    start.add_argument("-n", type=int, default=30, help="number of items for each species (default: %(default)s)")
    start.add_argument("--name", help="name of the review (default: made from purpose and date)")
    start.add_argument("--seed", type=int, default=1, help="seed of the draws (default: %(default)s)")
    start.add_argument("--model", type=Path, help="the model that dawnchorus detect used (default: results/model)")
    start.set_defaults(command=_start)
    add_page_commands(actions)
    finish = actions.add_parser("finish", help="merge the answers of reviews into answers/answers.csv")
    finish.add_argument("reviews", nargs="+", metavar="REVIEW", help="names of reviews")
    finish.add_argument(
        "--spend", action="store_true", help="let samples that measure become annotations; they measure no more"
    )
    finish.set_defaults(command=_finish)
    status = actions.add_parser("status", help="list the reviews, and how many of their items have an answer")
    status.set_defaults(command=lambda options: print(*review_lines(), sep="\n"))


def _finish(options: argparse.Namespace) -> None:
    from dawnchorus.review.finish import finish_reviews

    print(*finish_reviews([read_session(name) for name in options.reviews], options.spend), sep="\n")


def _start(options: argparse.Namespace) -> None:
    if options.n < 1:
        raise InputError(f"-n: found {options.n}, expected at least 1")
    if options.seed < 0:
        raise InputError(f"--seed: found {options.seed}, expected 0 or more")
    # Reading scores imports libraries that take seconds.
    from dawnchorus.review.scores import read_scores
    from dawnchorus.review.start import start_review

    lines = start_review(
        read_scores(options.results, options.model), options.results, options.purpose, options.species, options.n,
        options.name, options.seed, datetime.now(UTC),
    )  # fmt: skip
    print(*lines, sep="\n")

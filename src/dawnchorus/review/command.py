"""The subcommands of `dawnchorus review`."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from dawnchorus.errors import InputError
from dawnchorus.review.items import MEASURE, PURPOSES
from dawnchorus.review.page_options import add_page_commands
from dawnchorus.review.session import read_session, review_lines, session_names


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
    report = actions.add_parser(
        "report", help="tell what answers say of the model and of sites, and how far they agree"
    )
    report.add_argument("review", metavar="REVIEW", help="name of a review")
    report.add_argument("--model", type=Path, help="the model that dawnchorus detect used (default: results/model)")
    report.set_defaults(command=_report)
    following = actions.add_parser("next", help="tell what to do next for each species")
    following.add_argument("results", type=Path, help="results of a finished run, or the output of dawnchorus detect")
    following.add_argument("--model", type=Path, help="the model that dawnchorus detect used (default: results/model)")
    following.set_defaults(command=_next)
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
        read_scores(options.results, options.model, options.species), options.results, options.purpose,
        options.species, options.n, options.name, options.seed, datetime.now(UTC),
    )  # fmt: skip
    print(*lines, sep="\n")


# Draws of uncertain figures are the same in each call.
SEED = 1


def _report(options: argparse.Namespace) -> None:
    from dawnchorus.inference.threshold_tables import read_thresholds
    from dawnchorus.review.measured import measured_species
    from dawnchorus.review.report import report_lines
    from dawnchorus.review.scores import read_scores

    session = read_session(options.review)
    measured, now = None, {}
    if session.info.purpose == MEASURE:
        scored = read_scores(Path(session.info.results), options.model, session.info.asked)
        measured = measured_species(scored, [session], SEED)
        table = read_thresholds(scored.bundle.thresholds, scored.bundle.codes)[1]
        now = {row.species: row.threshold for row in table.itertuples() if row.threshold == row.threshold}
    print(*report_lines(session, measured, now), sep="\n")


def _next(options: argparse.Namespace) -> None:
    from dawnchorus.review.advice import advice_lines
    from dawnchorus.review.finish import unmerged_reviews
    from dawnchorus.review.measured import measured_species
    from dawnchorus.review.scores import read_scores

    scored = read_scores(options.results, options.model)
    sessions = [read_session(name) for name in session_names()]
    folder = os.path.abspath(options.results)
    sessions = [session for session in sessions if os.path.abspath(session.info.results) == folder]
    answered = {session.info.name: {answer.item for answer in session.answers()} for session in sessions}
    waiting = {
        session.info.name: len(session.items) - len(answered[session.info.name])
        for session in sessions
        if len(session.items) > len(answered[session.info.name])
    }
    given = [session for session in sessions if answered[session.info.name]]
    lines = advice_lines(
        scored.bundle.codes, measured_species(scored, given, SEED), scored.bundle.info.settings.detect.precision,
        options.results, waiting, unmerged_reviews(given), options.model,
    )  # fmt: skip
    print(*lines, sep="\n")

"""The `dawnchorus` command, for what is done outside the workflow."""

import argparse
import sys
from functools import partial
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.data import NAMEABLE
from dawnchorus.config.names import STUDENT
from dawnchorus.data.conversion import convert
from dawnchorus.data.formats import reading, writing
from dawnchorus.data.survey import survey
from dawnchorus.errors import InputError
from dawnchorus.models.bundle import read_bundle
from dawnchorus.review.command import add_review
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.detect_options import LONGEST, add_options, number, options_of
from dawnchorus.workflow.detection import detect, find_recordings

NOT_COMPARED = "not compared on recordings: name some with --compare"


def main() -> None:
    """Run a subcommand of `dawnchorus`."""
    parser = argparse.ArgumentParser(prog="dawnchorus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    inspect = commands.add_parser(
        "inspect", help="tell what is in a folder of recordings and labels, and which parameters would use it"
    )
    inspect.add_argument("folder", type=Path, help="the folder; nothing in it is changed")
    inspect.add_argument("--labels", type=Path, metavar="FOLDER", help="another folder with label files")
    _add_columns(inspect)
    inspect.add_argument(
        "--site-pattern",
        metavar="PATTERN",
        help="regular expression that finds the group (?P<site>...) in a recording's path below the folder "
        "(default: the folder that it is in)",
    )
    inspect.add_argument("--folds", type=int, default=3, help="number of folds that you want (default: %(default)s)")
    inspect.add_argument(
        "--window",
        type=partial(number, lowest=0.01, highest=LONGEST),
        default=3.0,
        metavar="SECONDS",
        help="length of a window (default: %(default)s s)",
    )
    inspect.set_defaults(command=_inspect)
    _add_convert(commands)
    _add_detect(commands)
    _add_compare(commands)
    _add_export(commands)
    _add_model(commands)
    add_review(commands)
    options = parser.parse_args()
    run(lambda: options.command(options))


def _inspect(options: argparse.Namespace) -> None:
    print(
        survey(
            options.folder,
            options.labels,
            options.site_pattern,
            options.window,
            options.folds,
            cores(),
            dict(options.columns),
        )
    )


def _add_convert(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("convert", help="write the labels in a folder in another format")
    parser.add_argument("folder", type=Path, help="the recordings and their labels; nothing in it is changed")
    parser.add_argument("output", type=Path, help="a new or empty folder for the labels")
    parser.add_argument("--to", required=True, choices=writing.FORMATS, help="the format to write")
    parser.add_argument(
        "--from", dest="source", choices=reading.FORMATS, help="the format to read (default: the only one found)"
    )
    parser.add_argument("--labels", type=Path, help="another folder with label files")
    _add_columns(parser)
    parser.set_defaults(
        command=lambda options: print(
            convert(options.folder, options.output, options.to, options.source, options.labels, dict(options.columns))
        )
    )


def _add_columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns",
        type=_column,
        nargs="+",
        default=[],
        metavar="COLUMN=NAME",
        help="your names of the columns, as in data.columns, such as recording=File species=Code t_min=Begin t_max=End",
    )


def _column(text: str) -> tuple[str, str]:
    column, _, name = text.partition("=")
    known = sorted({each for columns in NAMEABLE.values() for each in columns})
    if column not in known or not name:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected COLUMN=NAME, with one of {', '.join(known)}")
    return column, name


def _add_detect(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("detect", help="find a trained model's species in recordings")
    parser.add_argument("model", type=Path, help="folder of the model, results/model of a finished run")
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="recordings, folders of recordings, and *.txt that list such paths",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder for the results; after an interruption, the same command goes on",
    )
    add_options(parser)
    parser.add_argument("--cores", type=int, default=cores(), help="number of cores to use (default: %(default)s)")
    parser.set_defaults(command=_detect)


def _detect(options: argparse.Namespace) -> None:
    cores = max(1, options.cores)
    if detect(options.model, options.paths, options.output, options_of(options), cores):
        sys.exit(1)


def _add_compare(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("compare", help="compare experiments: figures, spread over seeds, paired differences")
    parser.add_argument(
        "revisions",
        nargs="*",
        metavar="REVISION",
        help="commits, branches, tags, experiments, and `workspace`; others are compared with the first "
        "(default: HEAD, the experiments that `dvc exp list` lists, and the workspace)",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="also write a page with the differences of each species"
    )
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> None:
    # It needs DVC and Jinja, which belong to the workflow.
    try:
        from dawnchorus.workflow.comparing import compare_revisions
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed: `dawnchorus compare` needs the extra `workflow`, which `make env` installs"
        ) from error
    print(compare_revisions(Path.cwd(), options.revisions, options.html))


def _add_export(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("export", help="write a trained model as one file that other programs run")
    parser.add_argument("model", type=Path, help="folder of the model, results/model of a finished run")
    parser.add_argument(
        "--to",
        required=True,
        choices=["litert", "onnx", "birdnet"],
        help="litert, onnx: a file that gives scores; birdnet: a LiteRT file for programs that load custom models for "
        "BirdNET 2.4",
    )
    parser.add_argument("--output", type=Path, required=True, help="the file, which ends in .tflite or .onnx")
    parser.add_argument("--quantize", choices=["none", "float16", "int8"], default="none", help="smaller weights")
    parser.add_argument(
        "--members",
        type=lambda text: [] if text == "all" else text.split(","),
        default=[],
        metavar="NAMES",
        help="names of members with commas between them, as `dawnchorus model info` tells them; student for the "
        "student (default: all members)",
    )
    parser.add_argument("--calibrated", action="store_true", help="give probabilities instead of scores")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="recordings, folders of recordings, and *.txt that list such paths, on which the file is compared with "
        "the model",
    )
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> None:
    bundle = read_bundle(options.model)
    recordings = None if options.compare is None else find_recordings(options.compare).values()
    # TensorFlow takes seconds to import.
    try:
        from dawnchorus.export.comparison import windows_of
        from dawnchorus.export.exporting import export_model
        from dawnchorus.export.graph import samples_of
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed: `dawnchorus export` needs the extras `cpu` and `export`, which `make env` "
            "installs"
        ) from error
    from dawnchorus.export.hosts import hosts
    from dawnchorus.export.request import Request

    settings = bundle.info.settings
    windows = (
        None
        if recordings is None
        else (
            samples
            for path in recordings
            for samples in windows_of(path, settings.spectrogram.sample_rate, settings.channel, samples_of(settings))
        )
    )
    request = Request(options.to, options.quantize, options.members, options.calibrated)
    found = export_model(bundle, request, options.output, windows)
    print(
        f"{options.output}: {found.n_bytes / 1e6:.2f} MB, {found.times_real_time:.0f} times real time on one thread",
        f"compared with the model on sounds made for it: {found.sounds.text}",
        f"compared with the model on recordings: {found.recordings.text}" if found.recordings else NOT_COMPARED,
        *hosts(bundle, options.to, bool(found.licences)),
        *found.licences,
        sep="\n",
    )


def _add_model(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("model", help="tell about a trained model")
    actions = parser.add_subparsers(required=True)
    info = actions.add_parser("info", help="check the files of a model, and print its card")
    info.add_argument("model", type=Path, help="folder of the model, results/model of a finished run")
    info.set_defaults(command=_model_info)


def _model_info(options: argparse.Namespace) -> None:
    bundle = read_bundle(options.model)
    print((bundle.folder / "README.md").read_text(encoding="utf-8"))
    print("Members:", ", ".join(member.name for member in bundle.info.members))
    if bundle.info.student is not None:
        print("Beside them:", STUDENT)


if __name__ == "__main__":
    main()

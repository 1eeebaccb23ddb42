"""Cache the mel spectrograms of recordings without annotations, by fold, where a round learns from pseudo-labels."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.sounds import read_sounds
from dawnchorus.features.caching import cache_spectrograms
from dawnchorus.files import replacing
from dawnchorus.workflow.cores import cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings, with their folds")
    parser.add_argument("--first-round", required=True, help="id of the first round")
    parser.add_argument("--last-round", required=True, help="id of the last round; the same for a single one")
    parser.add_argument("--output", type=Path, required=True, help="folder with <fold>/; replaced; empty for one round")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    table = read_sounds(arguments.recordings, ["fold"])
    root = Path(params.data.root)
    recordings = {f"{row.fold}/{row.Index}": root / row.file for row in table.itertuples()}
    with replacing(arguments.output) as folder:
        folder.mkdir()
        if arguments.first_round == arguments.last_round and not params.student:
            print(f"{len(recordings)} training recordings have no annotation and are not used", file=sys.stderr)
            return
        what = "unlabelled recordings cached"
        bad = cache_spectrograms(
            recordings, folder, params.spectrogram, params.data.channel, cores(), what, skip_bad=True
        )
        if bad:
            print(f"{len(bad)} unlabelled recordings are left out:", *bad, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    run(main)

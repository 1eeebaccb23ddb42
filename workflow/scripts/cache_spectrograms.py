"""Cache the mel spectrogram of every usable recording of a split."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.sounds import read_sounds
from dawnchorus.features.caching import cache_spectrograms
from dawnchorus.features.mel import empty_bands, mel_to_frequency
from dawnchorus.files import replacing
from dawnchorus.workflow.cores import cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings")
    parser.add_argument("--output", type=Path, required=True, help="output folder; an existing one is replaced")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    settings = params.spectrogram
    empty = empty_bands(settings)
    if len(empty):
        print(
            f"{len(empty)} of {settings.n_mels} mel bands are empty, the highest at "
            f"{mel_to_frequency(empty[-1], settings):.0f} Hz: they are narrower than the spacing of n_fft's "
            "frequencies and always have the lowest level; reduce n_mels, or increase n_fft or f_min",
            file=sys.stderr,
        )
    table = read_sounds(arguments.recordings)
    # The stage does not depend on the root: the table has a hash of each recording, so moving the data reruns nothing.
    root = Path(params.data.root)
    recordings = {str(name): root / file for name, file in table.file.items()}
    with replacing(arguments.output) as folder:
        folder.mkdir()
        what = f"{arguments.output.name} recordings cached"
        cache_spectrograms(recordings, folder, settings, params.data.channel, cores(), what)


if __name__ == "__main__":
    run(main)

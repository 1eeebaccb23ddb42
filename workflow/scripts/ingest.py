"""Read a data set, check its recordings, and write the canonical tables that all later stages read."""

import argparse
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from dawnchorus.cli import run
from dawnchorus.config.data import SITE
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import write_annotations
from dawnchorus.data.answers import add_answers, read_answers
from dawnchorus.data.complete import write_complete
from dawnchorus.data.complete_list import declare_complete, describe_completeness, use_test_labels
from dawnchorus.data.dataset import SPLITS
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.ground_truth import write_ground_truth
from dawnchorus.data.ingest import (
    check_labels,
    check_recordings,
    refuse_bad_recordings,
    require_usable,
    usable_ground_truth,
)
from dawnchorus.data.quality import as_table, starts_without_zone, summary
from dawnchorus.data.recordings import write_recordings
from dawnchorus.data.sites import find_sites, group_by_site, site_groups
from dawnchorus.data.species import write_species
from dawnchorus.data.species_list import choose_species, read_species_list
from dawnchorus.data.template import write_template
from dawnchorus.files import replacing
from dawnchorus.workflow.cores import cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--labels", type=Path, required=True, help="second folder with label files")
    parser.add_argument("--answers", type=Path, required=True, help="folder that may have answers.csv")
    parser.add_argument("--recordings", type=Path, required=True, help="output: a row for each recording")
    parser.add_argument("--annotations", type=Path, required=True, help="output: a row for each box")
    parser.add_argument("--species", type=Path, required=True, help="output: a row for each species")
    parser.add_argument("--ground-truth", type=Path, required=True, help="output: 0 and 1 for each test recording")
    parser.add_argument("--complete", type=Path, required=True, help="output: completely annotated training recordings")
    parser.add_argument("--template", type=Path, required=True, help="output: the recordings that a submission lists")
    parser.add_argument("--remarks", type=Path, required=True, help="output: a line for each oddity of the tables")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    is_rfcx = params.data.format == "rfcx"
    dataset = read_dataset(
        arguments.data, params.data.format, params.data.columns, params.split.group, arguments.labels
    )
    sites = find_sites(dataset.files, params.data.site_pattern)
    # The competition's tables have a column for groups.
    is_by_site = params.split.group == SITE and not is_rfcx
    if is_by_site:
        dataset = group_by_site(dataset, sites["train"])
    if params.labels.complete is not None:
        # The competition's tables have no labels of test recordings.
        dataset = declare_complete(dataset, params.labels.complete, SPLITS[:1] if is_rfcx else SPLITS)
    names = read_species_list(params.data.species or dataset.species, [arguments.data, arguments.labels])
    if params.data.species is not None:
        dataset = choose_species(dataset, names)
    dataset = add_answers(dataset, read_answers(arguments.answers))
    dataset = use_test_labels(dataset)
    inspections = check_recordings(
        dataset, params.spectrogram.sample_rate, params.window.seconds, params.data.channel, cores()
    )
    dataset = check_labels(dataset, inspections, cut=not is_rfcx)
    remarks = [*dataset.remarks, *describe_completeness(dataset)]
    print(*remarks, summary(inspections), sep="\n", file=sys.stderr)
    refuse_bad_recordings(inspections, dataset, params.data.bad_audio)
    zone = params.data.timezone
    groups = {"train": dataset.groups} | ({"test": site_groups(sites["test"])} if is_by_site else {})
    recordings = as_table(inspections, sites, groups, dataset.root, None if zone is None else ZoneInfo(zone))
    without_zone = starts_without_zone(inspections, recordings)
    for remark in without_zone:
        print(remark, file=sys.stderr)
    require_usable(recordings, dataset)
    with replacing(arguments.recordings) as path:
        write_recordings(path, recordings)
    with replacing(arguments.annotations) as path:
        write_annotations(path, dataset.annotations)
    with replacing(arguments.species) as path:
        write_species(path, names.drop_duplicates("species"))
    with replacing(arguments.ground_truth) as path:
        write_ground_truth(path, usable_ground_truth(recordings, dataset))
    with replacing(arguments.complete) as path:
        write_complete(path, dataset.complete[dataset.complete.split == "train"])
    with replacing(arguments.template) as path:
        write_template(path, dataset.template)
    with replacing(arguments.remarks) as path:
        path.write_text("".join(f"{remark}\n" for remark in [*remarks, *without_zone]))


if __name__ == "__main__":
    run(main)

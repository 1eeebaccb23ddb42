"""The model bundle: a folder with all that a trained ensemble needs to score recordings anywhere.

    model.json       settings, species, members, the hash of the data set, and that of every other file
    members/         networks: weights, <backbone>-<fold>.weights.h5, and LiteRT files, <backbone>-<fold>.tflite;
                     linear heads on embeddings: <embedding>-<fold>.npz
    thresholds.csv   threshold and calibration of each species
    student.weights.h5, student_thresholds.csv   a network that learned from the ensemble, if there is one
    figures.json     species_metrics.csv and reliability.csv: how good it is
    README.md        the model card, for people

Machines, times and commits are not in it, so that the same experiment gives the same bundle anywhere.
`results/provenance.json` of the run has them, by the hashes of weights.
Nothing in it is run as code.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import Field, ValidationError

from dawnchorus.config.model import ModelSettings
from dawnchorus.config.section import Section, shown
from dawnchorus.errors import InputError
from dawnchorus.models.declarations import backbone_names

INFO, MEMBERS, THRESHOLDS = "model.json", "members", "thresholds.csv"
STUDENT_WEIGHTS, STUDENT_THRESHOLDS = "student.weights.h5", "student_thresholds.csv"
# Raised when a change makes older programs misread a bundle.
FORMAT = 3
COPY_AGAIN = "copy the model again from where it was trained"


class Species(Section):
    """A species of a model."""

    species: str
    scientific_name: str
    common_name: str


class Member(Section):
    """A model of the ensemble, whose scores count with a weight; the weights of all have a sum of 1.

    With `is_head`, it is a linear head, and `backbone` is the name of its embedding.
    """

    backbone: str
    fold: int
    weight: float
    # A bundle of format 1 has none.
    is_head: bool = False

    @property
    def name(self) -> str:
        """Its name in the ensemble."""
        return f"{self.backbone}-{self.fold}"

    @property
    def file(self) -> str:
        """The path of its weights in the bundle."""
        return f"{MEMBERS}/{self.name}.{'npz' if self.is_head else 'weights.h5'}"

    @property
    def lite_file(self) -> str:
        """The path of a network's LiteRT file in the bundle, which not all bundles have."""
        return f"{MEMBERS}/{self.name}.tflite"


class ModelInfo(Section):
    """The content of `model.json`."""

    format: int
    dawnchorus: str
    keras: str
    data: str
    settings: ModelSettings
    species: list[Species]
    members: list[Member]
    files: dict[str, str]
    # The student's backbone. A bundle of format 2 has none.
    student: str | None = None
    # The hash of each embedding's model, which is not in the bundle.
    embeddings: dict[str, str] = Field(default_factory=dict)

    @property
    def networks(self) -> list[Member]:
        """The members that are networks on spectrograms."""
        return [member for member in self.members if not member.is_head]


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read.

    Attributes:
        folder: where it is.
        info: the content of `model.json`.
    """

    folder: Path
    info: ModelInfo

    @property
    def scorer_digest(self) -> str:
        """Hash of what scores depend on: not of thresholds and figures."""
        settings = self.info.settings.model_dump_json(exclude={"detect", "predict", "channel"})
        files = [(member.model_dump_json(), self.info.files[member.file]) for member in self.info.members]
        return hashlib.sha256(json.dumps([settings, self.codes, files]).encode()).hexdigest()

    @property
    def codes(self) -> list[str]:
        """The codes of its species, in the order of scores."""
        return [each.species for each in self.info.species]

    @property
    def thresholds(self) -> Path:
        """Its table of thresholds."""
        return self.folder / THRESHOLDS


def write_bundle(
    folder: Path,
    settings: ModelSettings,
    species: Sequence[Species],
    data: str,
    members: Mapping[Path, Member],
    files: Mapping[str, Path],
    card: str,
    embeddings: Mapping[str, str],
    student: str | None = None,
) -> None:
    """Write a bundle.

    Args:
        folder: an empty folder.
        settings: of the model.
        species: in the order of scores.
        data: DVC's hash of the data set that it was trained on; empty if there is none.
        members: the members by their weight files.
        files: further files by their names in the bundle.
        card: the text of `README.md`.
        embeddings: hash of the model of each embedding, as from `embedders.model_digest`.
        student: the student's backbone; `files` then has its weights and thresholds.
    """
    (folder / MEMBERS).mkdir()
    (folder / "README.md").write_text(card, encoding="utf-8")
    for name, path in {**{member.file: path for path, member in members.items()}, **files}.items():
        shutil.copyfile(path, folder / name)
    hashes = {
        path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    info = ModelInfo(
        format=FORMAT, dawnchorus=version("dawnchorus"), keras=version("keras"), data=data, settings=settings,
        species=list(species), members=list(members.values()), files=hashes, student=student,
        embeddings=dict(embeddings),
    )  # fmt: skip
    (folder / INFO).write_text(info.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file in it.

    Raises:
        InputError: the folder holds no bundle, one of a newer program, one that needs another backbone, or a damaged
            one; the message names the file.
    """
    path = folder / INFO
    if not path.is_file():
        raise InputError(f"{folder}: is no model: {INFO} is missing; give the folder results/model of a finished run")
    content = path.read_bytes()
    info = _parse(path, content)
    for name, expected in info.files.items():
        file = folder / name
        # A bundle from someone else must not make this program read other files.
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise InputError(f"{path}: found the file {shown(name)}, expected paths inside the model; {COPY_AGAIN}")
        if not file.is_file():
            raise InputError(f"{file}: is missing; {COPY_AGAIN}")
        if _digest(file) != expected:
            raise InputError(f"{file}: is damaged or from another model: its hash is not that in {path}; {COPY_AGAIN}")
    needed = [THRESHOLDS, *(member.file for member in info.members)]
    if info.student is not None:
        needed += [STUDENT_WEIGHTS, STUDENT_THRESHOLDS]
    missing = [name for name in needed if name not in info.files]
    if missing or not info.members or not info.species:
        raise InputError(f"{path}: has no hash of {missing[0] if missing else 'any member'}; {COPY_AGAIN}")
    heads = {member.backbone for member in info.members if member.is_head}
    if heads - (info.settings.features.keys() & info.embeddings.keys()):
        raise InputError(
            f"{path}: has heads on {', '.join(sorted(heads))}, but not the settings of these; {COPY_AGAIN}"
        )
    networks = {member.backbone for member in info.members if not member.is_head} | {info.student or ""} - {""}
    unknown = sorted(networks - set(backbone_names()))
    if unknown:
        raise InputError(
            f"{path}: needs the backbone {unknown[0]}, which this installation of Dawnchorus does not have; install "
            "the version that the model was trained with"
        )
    return Bundle(folder, info)


def _parse(path: Path, content: bytes) -> ModelInfo:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON: {error}; {COPY_AGAIN}") from error
    made_as = found.get("format") if isinstance(found, dict) else None
    if type(made_as) is int and made_as > FORMAT:
        raise InputError(
            f"{path}: was written by Dawnchorus {shown(found.get('dawnchorus'))} in a newer format; update Dawnchorus"
        )
    if made_as == 1 and isinstance(found.get("settings"), dict) and isinstance(found["settings"].get("detect"), dict):
        # There was no shortest detection.
        found["settings"]["detect"].setdefault("min_seconds", 0.0)
    try:
        # JSON has no tuples, but its numbers and texts are as strict as YAML's.
        return ModelInfo.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {key or 'the content'}: {first['msg']}; {COPY_AGAIN}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

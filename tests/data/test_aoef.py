"""AOEF is read as soundevent means it, and what is written is read by soundevent."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from soundevent import data, io

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats import aoef
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.errors import InputError

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
RATE = 24_000


def recordings(root: Path) -> pd.DataFrame:
    for site in ("hill", "dale"):
        (root / site).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / site / "0530.wav", np.random.default_rng(len(site)).normal(0, 0.1, 10 * RATE), RATE)
    columns = {"file": ["hill/0530.wav", "dale/0530.wav"], "seconds": 10.0, "sample_rate": RATE, "channels": 1}
    return pd.DataFrame(columns, ["hill/0530", "dale/0530"])


def read(root: Path, **columns: str) -> Dataset:
    recordings(root)
    return read_dataset(root, "aoef", columns, None)


def boxes(found: Dataset) -> list[list[object]]:
    table = found.annotations[BOX]
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


def recording_of(site: str, expansion: float = 1.0) -> data.Recording:
    """A recording on the computer of somebody else."""
    return data.Recording(
        path=Path(f"/home/ann/survey/{site}/0530.wav"), duration=10 / expansion, channels=1,
        samplerate=int(RATE * expansion), time_expansion=expansion,
    )  # fmt: skip


def annotated(geometry: data.Geometry, *tags: data.Tag, site: str = "hill", by: data.User | None = None,
              expansion: float = 1.0) -> data.ClipAnnotation:  # fmt: skip
    recording = recording_of(site, expansion)
    event = data.SoundEventAnnotation(
        sound_event=data.SoundEvent(recording=recording, geometry=geometry), tags=list(tags), created_by=by
    )
    clip = data.Clip(recording=recording, start_time=0, end_time=recording.duration)
    return data.ClipAnnotation(clip=clip, sound_events=[event])


def tag(key: str, value: str) -> data.Tag:
    return data.Tag(key=key, value=value)


def save(path: Path, *annotations: data.ClipAnnotation) -> None:
    io.save(data.AnnotationSet(clip_annotations=list(annotations)), path)


WREN = tag("species", "Troglodytes troglodytes")
PLACE = data.BoundingBox(coordinates=[1.25, 1000.5, 2.5, 2000])


def test_what_soundevent_writes(tmp_path: Path) -> None:
    ann = data.User(name="Ann Lark", username="ann")
    save(
        tmp_path / "labels.json",
        annotated(PLACE, WREN, tag("call_type", "song"), by=ann),
        annotated(data.TimeInterval(coordinates=[3, 4]), WREN, tag("dawnchorus:label", "absent"), site="dale",
                  by=data.User(username="bob")),
        annotated(data.TimeInterval(coordinates=[5, 6]), WREN, tag("dawnchorus:label", "Uncertain"), site="dale"),
        annotated(data.TimeInterval(coordinates=[7, 8]), WREN, tag("species", "Turdus merula")),
    )  # fmt: skip
    found = read(tmp_path)
    assert boxes(found) == [
        ["hill/0530", "Troglodytes troglodytes", 1.25, 2.5, 1000.5, 2000, "present"],
        ["dale/0530", "Troglodytes troglodytes", 3, 4, None, None, "absent"],
        ["dale/0530", "Troglodytes troglodytes", 5, 6, None, None, "uncertain"],
        ["hill/0530", "Troglodytes troglodytes", 7, 8, None, None, "present"],
        ["hill/0530", "Turdus merula", 7, 8, None, None, "present"],
    ]
    assert list(found.annotations.annotator) == ["Ann Lark", "bob", "", "", ""]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    others: list[data.Geometry] = [
        data.TimeStamp(coordinates=1), data.Point(coordinates=[1, 1000]), data.BoundingBox(coordinates=[1, 0, 1, 9]),
        data.Polygon(coordinates=[[[1, 1000], [2, 1000], [2, 2000], [1, 1000]]]),
    ]  # fmt: skip
    whole = annotated(PLACE, tag("quality", "good"))
    whole.tags.append(WREN)
    save(tmp_path / "labels.json", annotated(PLACE, WREN), whole, *(annotated(other, WREN) for other in others))
    (tmp_path / "notes.json").write_text('{"a": 1}')
    found = read(tmp_path)
    assert len(boxes(found)) == 1
    assert found.remarks[0].startswith("1 other files are no labels of the format aoef; first ")
    assert found.remarks[1:] == [
        "6 rows in 1 label files, 1 labels of 1 species in 1 recordings; 1 training recordings have no label",
        "left out: 4 sound events that are neither a box nor an interval of time, or have no length",
        "left out: 1 clips and sequences with tags",
        "left out: 1 rows without a species",
    ]


def test_a_recording_with_time_expansion_is_slower_and_lower_than_the_sound(tmp_path: Path) -> None:
    # soundevent divides the length of the file by the expansion, and multiplies its sample rate (Recording.from_file).
    save(
        tmp_path / "labels.json",
        annotated(data.BoundingBox(coordinates=[0.1, 40_000, 0.2, 60_000]), WREN, expansion=10),
    )
    assert boxes(read(tmp_path)) == [["hill/0530", "Troglodytes troglodytes", 1, 2, 4000, 6000, "present"]]


@pytest.mark.parametrize("key", ["species", "dwc:scientificName", "Scientific_Name", "common_name"])
def test_usual_keys_of_the_species(tmp_path: Path, key: str) -> None:
    save(tmp_path / "labels.json", annotated(PLACE, tag("order", "Passeriformes"), tag(key, "Wren")))
    assert read(tmp_path).species == ["Wren"]


def test_the_only_key_is_that_of_the_species(tmp_path: Path) -> None:
    save(tmp_path / "labels.json", annotated(PLACE, tag("event", "Wren"), tag("dawnchorus:label", "absent")))
    found = read(tmp_path)
    assert [(row[1], row[6]) for row in boxes(found)] == [("Wren", "absent")]


def test_another_key_of_the_species(tmp_path: Path) -> None:
    save(tmp_path / "labels.json", annotated(PLACE, tag("ebird", "winwre4"), tag("quality", "good")))
    with pytest.raises(
        InputError, match=r"which tag has the species is not clear; found ebird, quality; name it in par"
    ):
        read(tmp_path)
    assert read(tmp_path, species="ebird").species == ["winwre4"]
    with pytest.raises(
        InputError, match=r"no sound event has a tag 'code', which data\.columns .*; found ebird, quality"
    ):
        read(tmp_path, species="code")


def predicted(*scores: float) -> list[data.ClipPrediction]:
    recording = recording_of("hill")
    clip = data.Clip(recording=recording, start_time=0, end_time=10)
    return [
        data.ClipPrediction(
            clip=clip,
            sound_events=[
                data.SoundEventPrediction(
                    sound_event=data.SoundEvent(recording=recording, geometry=PLACE), score=0.9,
                    tags=[data.PredictedTag(tag=WREN, score=score)],
                )
            ],
        )
        for score in scores
    ]  # fmt: skip


def test_predictions_are_labels_of_a_program(tmp_path: Path) -> None:
    io.save(data.PredictionSet(clip_predictions=predicted(0.25, 0.75)), tmp_path / "predictions.json")
    found = read(tmp_path)
    assert boxes(found) == [["hill/0530", "Troglodytes troglodytes", 1.25, 2.5, 1000.5, 2000, "present"]]
    assert any(one.startswith("all 2 labels are a program's, of confidence 0.25 to 0.75") for one in found.remarks)
    save(tmp_path / "labels.json", annotated(data.TimeInterval(coordinates=[3, 4]), WREN))
    found = read(tmp_path)
    assert boxes(found) == [["hill/0530", "Troglodytes troglodytes", 3, 4, None, None, "present"]]
    assert (
        "left out: 2 labels of a program, which nobody has verified, beside labels that somebody has" in found.remarks
    )


def test_an_evaluation_is_read_for_its_annotations(tmp_path: Path) -> None:
    save(tmp_path / "labels.json", annotated(data.TimeInterval(coordinates=[3, 4]), WREN))
    io.save(data.PredictionSet(clip_predictions=predicted(0.25)), tmp_path / "predictions.json")
    both, more = (json.loads((tmp_path / name).read_text()) for name in ("labels.json", "predictions.json"))
    both["data"]["sound_event_predictions"] = more["data"]["sound_event_predictions"]
    (tmp_path / "labels.json").write_text(json.dumps(both))
    (tmp_path / "predictions.json").unlink()
    found = read(tmp_path)
    assert boxes(found) == [["hill/0530", "Troglodytes troglodytes", 3, 4, None, None, "present"]]
    assert "left out: 1 predictions, because there are annotations" in found.remarks


def damaged(root: Path, change: Any, encoding: str = "utf-8") -> str:
    """Read a file in which a function has changed something, and return the error."""
    save(root / "labels.json", annotated(PLACE, WREN))
    content = json.loads((root / "labels.json").read_text())
    content["data"]["sound_event_annotations"][0]["uuid"] = "A"
    change(content["data"])
    (root / "labels.json").write_text(json.dumps(content), encoding)
    with pytest.raises(InputError) as error:
        read(root)
    return str(error.value).removeprefix(f"{root / 'labels.json'}: ")


def test_faults_name_file_and_place(tmp_path: Path) -> None:
    def geometry(coordinates: object, kind: str = "BoundingBox") -> Any:
        return lambda content: content["sound_events"][0].update(geometry={"type": kind, "coordinates": coordinates})

    first = "annotation A: found the BoundingBox [2, 1, 1, 2], expected start, lowest frequency, end and highest"
    assert damaged(tmp_path, geometry([2, 1, 1, 2])).startswith(first)
    for coordinates in (
        [1, 2, 2, 1],
        [-1, 1, 2, 2],
        [1, 2, 3],
        ["1", 1, 2, 2],
        [1, 1, float("nan"), 2],
        [1, 1, 10**400, 2],
        3,
    ):
        assert damaged(tmp_path, geometry(coordinates)).startswith("annotation A: found the BoundingBox ")
    assert damaged(tmp_path, geometry([2, 1], "TimeInterval")).startswith(
        "annotation A: found the TimeInterval [2, 1], expected start and end, 0 or more and in this order; correct"
    )
    assert damaged(tmp_path, lambda content: content.update(sound_events=[])).startswith(
        "annotation A: refers to the s"
    )
    assert damaged(tmp_path, lambda content: content.update(recordings=[])).startswith(
        "annotation A: refers to the rec"
    )
    assert damaged(tmp_path, lambda content: content.update(tags=[])).startswith(
        "annotation A: refers to the tag 0, wh"
    )
    assert damaged(tmp_path, lambda content: content["tags"].append({"id": "x"})).startswith("data.tags.1.id: Input ")
    moved = damaged(tmp_path, lambda content: content["recordings"][0].update(path="C:\\hill\\0600.wav"))
    assert moved.startswith(
        f"annotation A, column recording: found 'C:\\\\hill\\\\0600.wav', expected a recording in {tmp_path}"
    )
    verdict = {"id": 1, "key": "dawnchorus:label", "value": "maybe"}

    def judge(content: Any) -> None:
        content["tags"].append(verdict)
        content["sound_event_annotations"][0]["tags"].append(1)

    assert damaged(tmp_path, judge).startswith(
        "annotation A, tag dawnchorus:label: found maybe, expected one of present"
    )


def test_damaged_json(tmp_path: Path) -> None:
    save(tmp_path / "labels.json", annotated(PLACE, WREN))
    text = (tmp_path / "labels.json").read_text()
    (tmp_path / "labels.json").write_text(text[:-40])
    with pytest.raises(
        InputError, match=r"labels\.json: Invalid JSON: EOF while parsing .* at line 1 column \d+; export"
    ):
        read(tmp_path)
    (tmp_path / "labels.json").write_text('{"collection_type": "annotation_set"}')
    with pytest.raises(InputError, match=r"labels\.json: data: Field required; export the file again"):
        read(tmp_path)
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(
        InputError, match=r"no labels of the format aoef.*found '{}', expected JSON of soundevent or Whomb"
    ):
        read(tmp_path)
    io.save(data.AnnotationSet(clip_annotations=[]), tmp_path / "labels.json")
    with pytest.raises(InputError, match="no label that can be used: they have no rows"):
        read(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    save(tmp_path / "labels.json", annotated(PLACE, tag("species", "Zaunkönig")))
    (tmp_path / "labels.json").write_text((tmp_path / "labels.json").read_text(), encoding)
    assert read(tmp_path).species == ["Zaunkönig"]


LABELS = pd.DataFrame({
    "recording_id": ["hill/0530", "hill/0530", "dale/0530", "dale/0530"],
    "species": ["Turdus merula", "WREN", "Zaunkönig", "WREN"],
    "t_min": [0.1, 1 / 3, 2.7, 3.0], "t_max": [0.7, 1.1, 9.9, 4.0],
    "f_min": [100.25, np.nan, np.nan, 1000.0], "f_max": [2000.5, np.nan, 3000.0, np.nan],
    "label": ["present", "absent", "uncertain", "present"], "annotator": ["ann", "", "bob", "ann"],
})  # fmt: skip


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    files = recordings(tmp_path)
    said = aoef.write_labels(tmp_path, LABELS, files)
    expected = LABELS.assign(f_min=[100.25, np.nan, 0, 1000], f_max=[2000.5, np.nan, 3000, RATE / 2])
    found = read(tmp_path).annotations
    pd.testing.assert_frame_equal(found[[*BOX, "annotator"]], expected[[*BOX, "annotator"]], check_dtype=False)
    assert said == ["2 labels lack one of their frequencies; written: 0, or half the sample rate"]
    written = (tmp_path / "annotations.json").read_bytes()
    aoef.write_labels(tmp_path, LABELS, files)
    assert (tmp_path / "annotations.json").read_bytes() == written


def test_what_is_written_is_read_by_soundevent(tmp_path: Path) -> None:
    aoef.write_labels(tmp_path, LABELS, recordings(tmp_path))
    found = io.load(tmp_path / "annotations.json", audio_dir=tmp_path, type="annotation_set")
    rows = []
    for clip in found.clip_annotations:
        assert (clip.clip.start_time, clip.clip.end_time) == (0, 10)
        assert clip.clip.recording.path.exists()
        for one in clip.sound_events:
            tags = {each.term.name: each.value for each in one.tags}
            where = one.sound_event.geometry
            assert where is not None
            rows.append((
                clip.clip.recording.path.relative_to(tmp_path).as_posix(), tags["dwc:scientificName"],
                tags.get("dawnchorus:label", "present"), where.type, where.coordinates,
                "" if one.created_by is None else one.created_by.name,
            ))  # fmt: skip
    assert rows == [
        ("hill/0530.wav", "Turdus merula", "present", "BoundingBox", [0.1, 100.25, 0.7, 2000.5], "ann"),
        ("hill/0530.wav", "WREN", "absent", "TimeInterval", [1 / 3, 1.1], ""),
        ("dale/0530.wav", "Zaunkönig", "uncertain", "BoundingBox", [2.7, 0, 9.9, 3000], "bob"),
        ("dale/0530.wav", "WREN", "present", "BoundingBox", [3, 1000, 4, RATE / 2], "ann"),
    ]
    # Written by soundevent, the tag of the species has another key.
    io.save(found, tmp_path / "annotations.json", audio_dir=tmp_path)
    assert len(read(tmp_path).annotations) == 4


def test_no_labels_are_written(tmp_path: Path) -> None:
    aoef.write_labels(tmp_path, LABELS[:0], recordings(tmp_path))
    assert io.load(tmp_path / "annotations.json", type="annotation_set").clip_annotations == []

"""Ensembles with heads on embeddings: in a bundle, and on a recording, as the workflow's stages score it."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import SPECIES, add_heads, make_bundle
from stand_ins import PARTS, write_onnx

from dawnchorus.config.features import Embedding
from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.features.embedding_cache import Task, embed_recordings
from dawnchorus.features.embeddings import read_embeddings
from dawnchorus.features.frames import FrameGrid
from dawnchorus.inference.members import Members
from dawnchorus.inference.streaming import score_recording
from dawnchorus.inference.windows import tile
from dawnchorus.models.bundle import Bundle, ModelInfo, read_bundle
from dawnchorus.models.embedding_heads import has_saved_model, licences, load_heads
from dawnchorus.models.linear_head import LinearHead, read_head, write_head

SETTINGS = Embedding(model="inputs/tiny.onnx", sample_rate=24_000, seconds=2.5, output="vectors")
LENGTH, HOP = 47, 23  # 2 s and 1 s at 48,000 / 2,048 frames/s


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the stand-in model and a recording."""
    monkeypatch.chdir(tmp_path)
    write_onnx(tmp_path / SETTINGS.model, 60_000)
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(0, 0.1, 24_000 * 9 + 55), 24_000)
    return tmp_path


@pytest.fixture
def bundle(here: Path, tiny: Params) -> Bundle:
    add_heads(make_bundle(here / "model", tiny), SETTINGS, PARTS)
    return read_bundle(here / "model")


def scored_by_stages(here: Path, tiny: Params, heads: list[tuple[LinearHead, float]]) -> np.ndarray:
    """The weighted sum of the heads' scores, from embeddings on disk."""
    task = Task(SETTINGS, FrameGrid(48_000, 2048), LENGTH, partial(tile, length=LENGTH, hop=HOP), "mean")
    embed_recordings({"a": here / "a.flac"}, {"a": "0"}, here, here / "unfinished", task, 1, int, "embedded")
    _, vectors = read_embeddings(here / "a.npz")
    return np.sum([weight * head.scores(vectors) for head, weight in heads], axis=0)


def test_heads_score_a_recording_as_the_stages_do(bundle: Bundle, here: Path, tiny: Params) -> None:
    loaded = load_heads(bundle)
    assert [weight for _, weight in loaded[0].heads] == [0.25, 0.25]
    settings = bundle.info.settings
    told: list[float] = []
    starts, scores, seconds = Members(None, loaded).score_recording(
        here / "a.flac", settings, 1.0, "mean", 16, told.append
    )
    np.testing.assert_allclose(scores, scored_by_stages(here, tiny, loaded[0].heads), atol=1e-6)
    assert seconds == pytest.approx(9, abs=0.01)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(seconds)

    # Beside networks, the windows are theirs, and scores are added.
    def networks(windows: np.ndarray) -> np.ndarray:
        return np.stack([windows.mean(axis=(1, 2)) / -200] * 2, axis=1).astype(np.float32)

    alone = score_recording(networks, here / "a.flac", settings, 1.0, "mean", 16)
    both = Members(networks, loaded).score_recording(here / "a.flac", settings, 1.0, "mean", 16)
    np.testing.assert_array_equal(both[0], alone[0])
    np.testing.assert_array_equal(starts, alone[0])
    np.testing.assert_allclose(both[1], alone[1] + scores, atol=1e-6)


def test_whoever_detects_with_birdnets_heads_is_told_its_licence(bundle: Bundle) -> None:
    assert licences(bundle.info) == []
    content = bundle.info.model_dump()
    content["settings"]["features"]["tiny"]["model"] = "birdnet"
    (told,) = licences(ModelInfo.model_validate(content))
    assert "CC BY-NC-SA 4.0" in told
    # A model of networks that could have had heads.
    content["members"] = [member for member in content["members"] if not member["is_head"]]
    assert licences(ModelInfo.model_validate(content)) == []


def test_another_model_behind_an_embedding_is_refused(bundle: Bundle, here: Path) -> None:
    write_onnx(here / SETTINGS.model, 30_000)
    with pytest.raises(InputError, match=r"tiny\.onnx: is another model than the one that .*model was trained on"):
        load_heads(bundle)
    (here / SETTINGS.model).unlink()
    for look in (load_heads, has_saved_model):
        with pytest.raises(InputError, match=r"tiny\.onnx: does not exist; copy it to there, .*model was trained"):
            look(bundle)


def test_a_bundle_without_the_settings_of_its_heads_is_refused(bundle: Bundle) -> None:
    path = bundle.folder / "model.json"
    content = json.loads(path.read_text())
    del content["settings"]["features"]["tiny"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="has heads on tiny, but not the settings of these"):
        read_bundle(bundle.folder)


def test_a_bundle_from_before_there_were_embeddings_is_read(bundle: Bundle, here: Path, tiny: Params) -> None:
    old = make_bundle(here / "old", tiny)
    path = old / "model.json"
    content = json.loads(path.read_text())
    content["format"] = 1
    del content["embeddings"], content["settings"]["features"], content["settings"]["detect"]["min_seconds"]
    for member in content["members"]:
        del member["is_head"]
    path.write_text(json.dumps(content))
    found = read_bundle(old)
    assert len(found.info.networks) == 2
    assert load_heads(found) == []
    assert [each.species for each in found.info.species] == [each.species for each in SPECIES]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 nothing"])
def test_a_damaged_head_names_its_file(here: Path, damage: bytes) -> None:
    write_head(here / "0.npz", LinearHead(np.zeros((3, 2), np.float32), np.zeros(2, np.float32)))
    with pytest.raises(InputError, match=r"0\.npz: is no linear head for this model: .* for 3 species; run `make ver"):
        read_head(here / "0.npz", 3)
    (here / "0.npz").write_bytes(damage)
    with pytest.raises(InputError, match=r"0\.npz: is no linear head for this model"):
        read_head(here / "0.npz", 2)

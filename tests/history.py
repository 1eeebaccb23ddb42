"""A project with a history of experiments whose outputs are made up: no stage runs, yet DVC and git know them all."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score
from tiny import ROOT

SPECIES = ["LARK", "OWL", "WREN"]
TRAIN = [f"r{number:02}" for number in range(30)]
TEST = [f"t{number:02}" for number in range(40)]
FOLDS = (0, 1)
CPU = "CPU: A processor"


def lwlrap(truth: np.ndarray, scores: np.ndarray) -> float:
    """Label-weighted label-ranking average precision by scikit-learn."""
    weights = truth.sum(axis=1)
    return float(label_ranking_average_precision_score(truth, scores, sample_weight=weights))


class History:
    """The project, its baseline as HEAD, and the scores of each experiment.

    Attributes:
        path: the project's folder.
        truth: which species call in each test recording.
        boxes: labelled boxes of the training recordings.
        scores: ensemble's scores of the test recordings by experiment.
        box_scores: scores of `boxes` by experiment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        rng = np.random.default_rng(0)
        self.truth = pd.DataFrame(rng.random((40, 3)) < 0.4, TEST, SPECIES)
        self.boxes = pd.DataFrame({
            "recording_id": np.repeat(TRAIN, 3), "species_id": np.tile([0, 1, 2], 30), "t_min": 0.5, "t_max": 1.5,
            "f_min": 1000.0, "f_max": 2000.0, "is_tp": rng.random(90) < 0.5,
        })  # fmt: skip
        self.groups = [""] * 40
        self.scores: dict[str, np.ndarray] = {}
        self.box_scores: dict[str, np.ndarray] = {}
        (path / ".dvc").mkdir(parents=True)
        shutil.copytree(ROOT / ".dvc/plots", path / ".dvc/plots")
        for name in (".dvc/config", ".dvc/.gitignore", ".gitignore", "dvc.yaml", "params.yaml"):
            shutil.copyfile(ROOT / name, path / name)
        self.template = YAML(typ="safe").load(ROOT / "dvc.lock")
        self.edit({"backbones": ["small_cnn"], "folds": list(FOLDS)})
        self.git("init", "--quiet")
        self.git("config", "user.name", "a")
        self.git("config", "user.email", "a@b")
        self.run("HEAD", 0.5)
        self.commit()

    def git(self, *arguments: str) -> str:
        """Run git and return its output."""
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything that git does not ignore; returns the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "results")
        return self.git("rev-parse", "HEAD")

    def commit_of(self, name: str) -> str:
        """The hash of an experiment."""
        head = self.git("rev-parse", "HEAD")
        return self.git("rev-parse", f"refs/exps/{head[:2]}/{head[2:]}/{name}")

    def edit(self, changes: dict[str, Any]) -> None:
        """Set parameters by dotted key."""
        yaml = YAML()
        content = yaml.load(self.path / "params.yaml")
        for key, value in changes.items():
            *sections, last = key.split(".")
            section = content
            for name in sections:
                section = section[name]
            section[last] = value
        yaml.dump(content, self.path / "params.yaml")

    def experiment(
        self, name: str, changes: dict[str, Any], noise: float, device: str = CPU, sources: dict[str, str] | None = None
    ) -> None:
        """Add an experiment as `dvc exp save` does, and return to HEAD."""
        head = self.git("rev-parse", "HEAD")
        self.edit(changes)
        self.run(name, noise, device, sources)
        self.git("checkout", "--quiet", "--detach")
        commit = self.commit()
        self.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", commit)
        self.git("checkout", "--quiet", "-")
        shutil.rmtree(self.path / "results")
        self.write_data()
        self.write_results("HEAD", CPU)

    def run(self, name: str, noise: float, device: str = CPU, sources: dict[str, str] | None = None) -> None:
        """Make up the outputs of a run with the present parameters, in the workspace and in DVC's cache."""
        rng = np.random.default_rng(sum(name.encode()))
        truth = self.truth.to_numpy()
        self.scores[name] = np.clip(0.5 + 0.3 * (truth - 0.5) + rng.normal(0, noise, truth.shape), 0, 1).round(4)
        self.box_scores[name] = (0.5 * self.boxes.is_tp + rng.normal(0, noise, 90)).to_numpy().round(4)
        shutil.rmtree(self.path / "results", ignore_errors=True)
        self.write_data()
        self.write_results(name, device)
        self.record(sources or {})

    def write_data(self) -> None:
        """Write the tables about the recordings."""
        data = self.path / "data"
        (data / "splits").mkdir(parents=True, exist_ok=True)
        boxes = self.boxes.assign(
            species=[SPECIES[each] for each in self.boxes.species_id],
            label=np.where(self.boxes.is_tp, "present", "absent"),
        )
        columns = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
        boxes[columns].to_csv(data / "annotations.csv", index=False)
        species = pd.DataFrame({"species": SPECIES, "scientific_name": "", "common_name": ""})
        species.to_csv(data / "species.csv", index=False)
        (data / "complete.csv").write_text("recording_id,species\n")
        self.truth.astype(int).to_csv(data / "ground_truth.csv", index_label="recording_id")
        for split, names, groups in (("train", TRAIN, [""] * 30), ("test", TEST, self.groups)):
            pd.DataFrame({
                "recording_id": names, "file": [f"{split}/{name}.wav" for name in names], "split": split,
                "group": groups, "start": "", "seconds": 4.0, "sample_rate": 48000, "channels": 1, "usable": 1,
                "problem": "", "peak": 0.5, "rms": 0.1,
                "digest": [hashlib.md5(name.encode(), usedforsecurity=False).hexdigest() for name in names],
            }).to_csv(data / f"splits/{split}.csv", index=False)  # fmt: skip

    def write_results(self, name: str, device: str) -> None:
        """Write scores and figures of an experiment."""
        results, scores = self.path / "results", pd.DataFrame(self.scores[name], TEST, SPECIES)
        (results / "scores").mkdir(parents=True)
        scores.to_csv(results / "scores/ensemble.csv", index_label="recording_id")
        for fold in FOLDS:
            folder = results / f"predictions/first/small_cnn/{fold}"
            folder.mkdir(parents=True)
            rows = self.boxes.recording_id.isin(TRAIN[fold::2])
            boxes = self.boxes[rows].assign(is_tp=self.boxes.is_tp[rows].astype(int), score=self.box_scores[name][rows])
            boxes.to_csv(folder / "boxes.csv", index=False)
            scores.to_csv(folder / "test.csv", index_label="recording_id")
            clips = self.box_scores[name].reshape(30, 3)[fold::2]
            pd.DataFrame(clips, TRAIN[fold::2], SPECIES).to_csv(folder / "oof.csv", index_label="recording_id")
        self.write_plots(name)
        truth, ranked = self.truth.to_numpy(), self.scores[name]
        has = truth.any(axis=1)
        found = lwlrap(truth[has], ranked[has])
        macro = np.mean([average_precision_score(truth[:, each], ranked[:, each]) for each in range(3)])
        of_boxes = [self.boxes.species_id == each for each in range(3)]
        box = np.mean([average_precision_score(self.boxes.is_tp[s], self.box_scores[name][s]) for s in of_boxes])
        ends = {"lwlrap_low": round(found - 0.02, 6), "lwlrap_high": round(found + 0.02, 6)}
        ensemble: dict[str, float] = {
            "lwlrap": round(found, 6),
            **ends,
            "macro_average_precision": round(float(macro), 6),
        }
        oof = {"lwlrap": 0.7, "lwlrap_low": 0.6, "lwlrap_high": 0.8, "macro_average_precision": 0.8,
               "box_average_precision": round(float(box), 6), "box_average_precision_low": round(float(box) - 0.03, 6),
               "box_average_precision_high": round(float(box) + 0.03, 6)}  # fmt: skip
        figures = {"oof": {"ensemble": oof}, "test": {"ensemble": ensemble}, "weights": {"small_cnn": 1.0}}
        few = {"test": {"lwlrap": ensemble["lwlrap"], "macro_ap": ensemble["macro_average_precision"]},
               "oof": {"box_ap": oof["box_average_precision"]}}  # fmt: skip
        jobs = {f"train@first-small_cnn-{fold}": {"device": device} for fold in FOLDS}
        for file, content in (("figures", figures), ("metrics", few), ("provenance", {"jobs": jobs})):
            (results / f"{file}.json").write_text(json.dumps(content, indent=2) + "\n")

    def write_plots(self, name: str) -> None:
        """Write the tables that `dvc plots` draws."""
        level, results = float(self.scores[name].mean()), self.path / "results"
        (results / "curves/first/small_cnn").mkdir(parents=True)
        for fold in FOLDS:
            rows = [f"{epoch},{level / epoch},{level},{level / 2},0.001" for epoch in range(1, 6)]
            text = "\n".join(["epoch,loss,validation_lwlrap,validation_precision,learning_rate", *rows])
            (results / f"curves/first/small_cnn/{fold}.csv").write_text(text + "\n")
        species = [f"{each},{level}" for each in SPECIES]
        (results / "species_metrics.csv").write_text("\n".join(["species,average_precision", *species]) + "\n")
        bins = [
            f",{value},{number},9,{number / 9},{level},0.1,0.9"
            for value in ("score", "probability")
            for number in (1, 5)
        ]
        columns = "species,value,bin,n,predicted,observed,observed_low,observed_high"
        (results / "reliability.csv").write_text("\n".join([columns, *bins]) + "\n")

    def record(self, sources: dict[str, str]) -> None:
        """Write dvc.lock from the committed one: other parameters, and hashes of what is made up."""
        params = YAML(typ="safe").load(self.path / "params.yaml")
        made = {
            path: self.store(self.path / path)
            for path in ("data/annotations.csv", "data/species.csv", "data/complete.csv", "data/ground_truth.csv",
                         "data/splits", "results/scores", "results/figures.json", "results/provenance.json",
                         "results/species_metrics.csv", "results/reliability.csv",
                         *(f"results/predictions/first/small_cnn/{fold}" for fold in FOLDS),
                         *(f"results/curves/first/small_cnn/{fold}.csv" for fold in FOLDS))
        }  # fmt: skip
        stages = json.loads(json.dumps(self.template["stages"]))
        run = hashlib.md5(json.dumps([params, made]).encode(), usedforsecurity=False).hexdigest()
        for stage in stages.values():
            for key in stage.get("params", {}).get("params.yaml", {}):
                section = params
                for part in key.split("."):
                    section = section[part]
                stage["params"]["params.yaml"][key] = section
            for each in [*stage["deps"], *stage.get("outs", [])]:
                if each["path"] in made or each["path"].startswith("results/"):
                    each["md5"] = made.get(each["path"], run)
                each["md5"] = sources.get(each["path"], each["md5"])
        known = {each["path"] for each in stages["ensemble"]["outs"]}
        stages["ensemble"]["outs"] += [
            {"path": path, "hash": "md5", "md5": made[path]} for path in ("results/figures.json",) if path not in known
        ]
        # JSON is YAML.
        (self.path / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": stages}, indent=1))

    def store(self, path: Path) -> str:
        """Copy a file or folder into DVC's cache; returns its hash."""
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file())
            listed = [{"md5": self.store(each), "relpath": str(each.relative_to(path))} for each in files]
            content, suffix = json.dumps(listed).encode(), ".dir"
        else:
            content, suffix = path.read_bytes(), ""
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
        target = self.cached(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return digest

    def cached(self, digest: str) -> Path:
        """The path of an object in DVC's cache."""
        return self.path / ".dvc/cache/files/md5" / digest[:2] / digest[2:]

"""The tiny workflow on a real Slurm: what docs/cluster.md says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clone import DATA, RESULTS, Clone
from cluster import Cluster, missing_programs, running_cluster, wait_until
from test_docs import CLUSTER_PAGE, commands
from tiny import ROOT

MISSING = missing_programs()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge"),
]

PROFILE = "workflow/profiles/slurm/config.yaml"
SECONDS_TO_TRAIN = 600
# What jobs without a GPU ask for beside cores and memory, and how they end.
WITHOUT_GPU = ("02:00:00", "", "COMPLETED")

# The first `python` on PATH: a training job, or one that scores a shard, waits as long as the file is there.
WAITING_PYTHON = """#!/bin/sh
case "$*" in *train.py*|*score_shard.py*) while [ -e {gate} ]; do sleep 0.1; done;; esac
exec {python} "$@"
"""
# A login node may have a GPU of its own. This one lists none, so on the node the choice of Slurm counts.
NVIDIA_SMI = "#!/bin/sh\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with two GPUs."""
    with running_cluster(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked plugin in a folder of its own, for in the environment it would slow every call of snakemake."""
    folder = tmp_path_factory.mktemp("plugin")
    export = ["uv", "export", "--quiet", "--frozen", "--no-hashes", "--no-annotate", "--extra", "slurm"]
    locked = subprocess.run(export, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packages = re.findall(r"^snakemake-executor-plugin-slurm\S*==\S+", locked, re.MULTILINE)
    subprocess.run(["uv", "pip", "install", "--quiet", "--no-deps", f"--python={sys.executable}",
                    f"--target={folder}", *packages], check=True)  # fmt: skip
    return folder


class Runs:
    """Calls of Snakemake in a clone beside a cluster, whose training jobs wait while the gate is there.

    Attributes:
        clone: the clone.
        gate: the file that training waits for.
        output: of the last call, a file.
    """

    def __init__(self, clone: Clone, cluster: Cluster, plugin: Path) -> None:
        self.clone, self._cluster = clone, cluster
        folder = clone.path.parent
        self.gate, self.output = folder / "gate", folder / "output.txt"
        local = clone.environment
        counting_python = Path(local["PATH"].split(":")[0]) / "python"
        (folder / "bin").mkdir()
        for name, text in (
            ("python", WAITING_PYTHON.format(gate=self.gate, python=counting_python)),
            ("nvidia-smi", NVIDIA_SMI),
        ):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        path = f"{cluster.folder}/bin:{folder}/bin:{local['PATH']}"
        self._environment = cluster.environment | local | {"PATH": path, "PYTHONPATH": str(plugin)}

    @contextmanager
    def started(self, command: str, *options: str) -> Iterator[subprocess.Popen]:
        """A call of Snakemake that looks at its jobs sooner than usual, and ends with the block."""
        words = [*command.split(), "--slurm-init-seconds-before-status-checks", "3", *options]
        with self.output.open("w") as output:
            self._run = run = subprocess.Popen(
                words, cwd=self.clone.path, env=self._environment, stdout=output, stderr=output
            )
        try:
            yield run
        finally:
            run.kill()
            run.wait()

    @property
    def said(self) -> str:
        """The end of what the last call has printed, where Snakefile names the reason of each failed job."""
        return self.output.read_text()[-4000:]

    def running(self) -> dict[str, str]:
        """The numbers of the jobs that run now, by rule and wildcards."""
        return {name_of(job): number for number, job in self._cluster.jobs().items() if job["JobState"] == "RUNNING"}

    def wait_for(self, name: str, after: str = "") -> str:
        """Wait until there runs a job, or the next one after a certain one, and return its number."""

        def runs() -> bool:
            assert self._run.poll() is None, self.said
            return self.running().get(name, after) != after

        wait_until(runs, f"a job {name}", SECONDS_TO_TRAIN)
        return self.running()[name]

    def ended(self) -> dict[str, list[tuple[str, ...]]]:
        """The jobs of the last call by rule and wildcards: what each asked for, and how it ended."""
        ended: dict[str, list[tuple[str, ...]]] = {}
        jobs = self._cluster.jobs()
        # Snakemake's own log; the terminal does not show this.
        logs = (self.clone.path / ".snakemake/log").glob("*.snakemake.log")
        latest = max(logs, key=lambda path: path.stat().st_mtime)
        for number in re.findall(r"SLURM jobid (\d+)", latest.read_text()):
            job = jobs[number]
            asked = job["NumCPUs"], job["MinMemoryNode"], job["TimeLimit"], job.get("TresPerNode", "")
            ended.setdefault(name_of(job), []).append((*asked, job["JobState"]))
        return ended


def name_of(job: dict[str, str]) -> str:
    """The rule and wildcards of a job, from the comment that the plugin gives it."""
    return job["Comment"].removeprefix("rule_").replace("_wildcards_", " ")


@pytest.fixture
def runs(cluster: Cluster, plugin: Path, tmp_path: Path) -> Runs:
    """Calls in a clone in which nothing has run yet."""
    return Runs(Clone.new(tmp_path / "clone"), cluster, plugin)


def test_the_workflow_on_a_cluster(runs: Runs, cluster: Cluster, through_snakemake: Clone) -> None:
    clone = runs.clone
    command, queue, _ = commands(CLUSTER_PAGE)

    # Both training jobs have a GPU at once. One of them is cancelled, and so is its second attempt.
    runs.gate.touch()
    with runs.started(command, "--retries", "1") as run:
        both = ["train first_small_cnn_0", "train first_small_cnn_1"]
        numbers = [runs.wait_for(name) for name in both]
        assert {cluster.jobs()[number]["GRES"] for number in numbers} == {"gpu:1(IDX:0)", "gpu:1(IDX:1)"}
        listed = cluster.ask(*queue.split()).split()
        assert set(numbers) <= set(listed)
        first = numbers[0]
        cluster.ask("scancel", first)
        second = runs.wait_for(both[0], after=first)
        cluster.ask("scancel", second)
        # When the second attempt has failed too, Snakemake submits nothing more.
        failures = "train small_cnn fold 0 failed after"
        wait_until(lambda: runs.output.read_text().count(failures) == 2, "a second failure", SECONDS_TO_TRAIN)
        runs.gate.unlink()
        assert run.wait(SECONDS_TO_TRAIN) != 0
    all_cores, one_core = [("8", "10000M", *WITHOUT_GPU)], [("1", "3000M", *WITHOUT_GPU)]
    assert runs.ended() == {
        "check_params": one_core,
        "synthesize": all_cores,
        "fetch_weights small_cnn": one_core,
        "no_pseudo_labels": one_core,
        "ingest": all_cores,
        "split_folds": one_core,
        "cache_spectrograms train": all_cores,
        "cache_spectrograms test": all_cores,
        "cache_unlabelled": all_cores,
        both[0]: [("1", memory, "1-00:00:00", "gres:gpu:1", "CANCELLED") for memory in ("16000M", "32000M")],
        both[1]: [("1", "16000M", "1-00:00:00", "gres:gpu:1", "COMPLETED")],
    }
    said = runs.output.read_text().split(failures)[2]
    assert "the whole log: logs/train/first-small_cnn-0.log" in said
    assert f"error: *** JOB {second} ON" in said
    assert f"/logs/slurm/rule_train/first_small_cnn_0/{second}.log" in said
    assert f"/{first}.log" not in said
    assert clone.started() == sorted({"check_params", *DATA, "train first small_cnn 1"})

    # Called again, it goes on. Training now needs more memory than it asks for at first.
    profile = clone.path / PROFILE
    profile.write_text(profile.read_text().replace("attempt * 16000", "attempt**3 * 400"))
    with runs.started(command) as run:
        assert run.wait(SECONDS_TO_TRAIN) == 0, runs.said
    ended = runs.ended()
    killed, trained = ended.pop(both[0])
    assert ended == {
        "predict first_small_cnn_0": [("1", "8000M", "04:00:00", "gres:gpu:1", "COMPLETED")],
        "predict first_small_cnn_1": [("1", "8000M", "04:00:00", "gres:gpu:1", "COMPLETED")],
        **dict.fromkeys(RESULTS, one_core),
    }
    assert [(job[1], job[-1]) for job in (killed, trained)] == [("400M", "FAILED"), ("3200M", "COMPLETED")]
    logs = [path.read_text() for path in (clone.path / "logs/slurm/rule_train/first_small_cnn_0").iterdir()]
    assert sum("exceeded memory limit" in log for log in logs) == 1
    assert set(clone.started()) == {
        "train first small_cnn 0",
        "predict first small_cnn 0",
        "predict first small_cnn 1",
        *RESULTS,
    }
    for name in ("results/kaggle/submission.csv", "results/metrics.json"):
        assert (clone.path / name).read_bytes() == (through_snakemake.path / name).read_bytes()
    clone.assert_nothing_to_do()


def test_detection_on_a_cluster(cluster: Cluster, plugin: Path, through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    runs = Runs(clone, cluster, plugin)
    command = commands(CLUSTER_PAGE)[2]
    shards = clone.path / "found/windows/.shards"

    # Two shards have a GPU each at once. Snakemake is killed, and one of its jobs cancelled; the other one goes on.
    runs.gate.touch()
    with runs.started(f"{command} shard_hours=0.003"):
        first, second = (runs.wait_for(f"score {name}") for name in ("0001", "0002"))
        assert {cluster.jobs()[number]["GRES"] for number in (first, second)} == {"gpu:1(IDX:0)", "gpu:1(IDX:1)"}
    cluster.ask("scancel", second)
    runs.gate.unlink()
    wait_until(lambda: (shards / "0001.problems.csv").exists(), "a finished shard", SECONDS_TO_TRAIN)
    wait_until(lambda: not cluster.ask("squeue", "--noheader"), "an empty queue", SECONDS_TO_TRAIN)

    with runs.started(f"{command} shard_hours=0.003") as run:
        assert run.wait(SECONDS_TO_TRAIN) == 0, runs.said
    assert runs.ended() == {
        "score 0002": [("8", "16000M", "04:00:00", "gres:gpu:1", "COMPLETED")],
        "detect": [("1", "3000M", *WITHOUT_GPU)],
    }
    clone.run("dawnchorus", "detect", "results/model", "data/demo/dataset/test", "--output", "plain")
    for name in ("detections.csv", "detections.parquet", "species_by_recording.csv", "activity.csv", "unreadable.csv"):
        assert (clone.path / "found" / name).read_bytes() == (clone.path / "plain" / name).read_bytes(), name

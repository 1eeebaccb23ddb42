"""A Slurm cluster of one host: the real daemons, with settings, ports, a key and pretended GPUs of their own."""

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
SECONDS_TO_START = 60
SECONDS_TO_END = 30
# Debian keeps the daemons where only root's PATH leads.
PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"

SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
# No control groups and no database.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# A step that takes more memory than its job asked for is killed within about a second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
# Seconds that ended jobs are remembered.
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,sched_interval=1
# The node says that it has more cores and memory than there may be.
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=200000 Gres=gpu:2
PartitionName=all Nodes={host} Default=YES
"""

# Two devices that every host has stand for GPUs.
GRES_CONF = """
Name=gpu File=/dev/null
Name=gpu File=/dev/zero
"""

# The plugin takes SLURM_CONF from what it starts on the node, where it expects the settings in /etc.
SRUN = """#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


def missing_programs() -> list[str]:
    """The programs of Slurm and munge that are not installed."""
    return [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=PATH) is None]


@dataclass
class Cluster:
    """A cluster that takes jobs.

    Attributes:
        folder: of settings, sockets, logs and records.
    """

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which commands find this cluster and no other."""
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{self.folder}/bin:{PATH}"}

    def ask(self, *command: str) -> str:
        """What one of Slurm's own commands prints; nothing where it fails."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """What Slurm says of its jobs, those that ended too, by number."""
        lines = self.ask("scontrol", "--oneliner", "--details", "show", "jobs").splitlines()
        records = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
        return {record["JobId"]: record for record in records if "JobId" in record}


def wait_until(true: Callable[[], object], what: str, seconds: float) -> None:
    """Look until something is so.

    Raises:
        TimeoutError: it is not, in time.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.2)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster of one node with 32 cores and 2 GPUs, whose daemons end with the block.

    Args:
        folder: to be made, for all that the daemons write.
    """
    cluster = Cluster(folder)
    host = socket.gethostname().split(".")[0]
    for name in ("bin", "state", "spool"):
        (folder / name).mkdir(parents=True)
    # munged distrusts a folder in which others may write.
    folder.chmod(0o755)
    settings = SLURM_CONF.format(host=host, ports=free_ports(2), user=getpass.getuser(), folder=folder)
    (folder / "slurm.conf").write_text(settings)
    (folder / "gres.conf").write_text(GRES_CONF)
    (folder / "bin/srun").write_text(SRUN.format(folder=folder, srun=shutil.which("srun", path=PATH)))
    (folder / "bin/srun").chmod(0o755)
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))

    munge_files = [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "seed", "log")]
    # Forced, it only warns of a temporary folder where everybody may write.
    munged = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}", *munge_files]
    daemons: list[subprocess.Popen] = []

    def has_node() -> bool:
        ended = [daemon.args for daemon in daemons if daemon.poll() is not None]
        if ended:
            raise TimeoutError(f"ended: {ended}")
        return "idle" in cluster.ask("sinfo", "--noheader", "--format=%T")

    def start(*command: str) -> None:
        with (folder / f"{command[0]}.out").open("w") as output:
            daemons.append(subprocess.Popen(command, env=cluster.environment, stdout=output, stderr=output))

    try:
        start(*munged)
        wait_until((folder / "munge.socket").exists, "munged's socket", SECONDS_TO_START)
        start("slurmctld", "-D", "-c")
        start("slurmd", "-D", "-c")
        wait_until(has_node, "a node", SECONDS_TO_START)
        yield cluster
    except TimeoutError as error:
        said = "".join(f"\n{path.name}:\n{path.read_text()}" for path in sorted(folder.glob("*.out")))
        raise RuntimeError(f"{error}{said}") from error
    finally:
        cluster.ask("scancel", "--full", "--user", getpass.getuser())
        try:
            wait_until(lambda: not cluster.ask("squeue", "--noheader"), "an empty queue", SECONDS_TO_END)
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
            for daemon in daemons:
                daemon.wait(SECONDS_TO_END)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports

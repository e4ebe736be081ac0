"""A real Slurm of several nodes on this machine, started and ended by the tests that need one.

It wants Debian's slurm-wlm and munge, and root: the daemons run as who starts them. Nodes are
daemons on one host; their GPUs are files. No control groups, no accounting.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studyspec.run.slurm.settings import SlurmSettings

NEEDED = ("sbatch", "slurmctld", "slurmd", "munged", "mungekey")
NODES, GPUS = 3, 2
REVOKED_S = 2.5
"""A node refuses a task that is started anew sooner than this after it was ended [s]."""
SETTINGS = SlurmSettings(partition="low", memory="900M", time="10", workers=2, poll=0.3)
"""What tests ask for, unless they need something else."""
CONFIG = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket/s
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
JobRequeue=1
MaxArraySize=10001
MaxJobCount=20000
MinJobAge=300
KillWait=8
OverTimeLimit=0
SlurmctldTimeout=30
SlurmdTimeout=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
"""
NODE = (
    "NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 Boards=1"
    " SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 Gres=gpu:{gpus}"
    " State=UNKNOWN\n"
)
PARTITIONS = """\
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=doomed Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL
PartitionName=brief Nodes=ALL MaxTime=1 State=UP PriorityTier=1
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


class Cluster:
    """The daemons of one cluster, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "slurm.conf"
        self._waiting: dict[str, float] = {}

    def start(self) -> None:
        """Write the configuration, start the daemons, wait until every node is idle."""
        for name in ("munge/socket", "state", "log", "gpu", *(f"spool/n{i}" for i in _numbers())):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o700)
        for i in range(GPUS):
            # as /dev/null: Slurm wants a device
            os.mknod(self.folder / f"gpu/fake{i}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        base, host = 20000 + random.randrange(9000), socket.gethostname().partition(".")[0]
        nodes = (NODE.format(i=i, host=host, port=base + i, gpus=GPUS) for i in _numbers())
        config = CONFIG.format(folder=self.folder, host=host, port=base)
        self.config.write_text(config + "".join(nodes) + PARTITIONS)
        gres = f"NodeName=n[1-{NODES}] Name=gpu File={self.folder}/gpu/fake[0-{GPUS - 1}]\n"
        (self.folder / "gres.conf").write_text(gres)
        old = " 22." in self.said("slurmd", "-V")
        plugin = "cgroup/v1" if old else "disabled"  # loaded although nothing uses it
        (self.folder / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")
        munge = self.folder / "munge"
        self.said("mungekey", "--create", f"--keyfile={munge}/key")
        self.said(
            *("munged", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket/s"),
            *(f"--pid-file={self.folder}/munged.pid", f"--log-file={munge}/log"),
            f"--seed-file={munge}/seed",
        )
        self.said("slurmctld", "-c")
        for i in _numbers():
            self.said("slurmd", "-c", "-N", f"n{i}")
        self.wait_idle()

    def stop(self) -> None:
        """End all jobs, then the daemons, by the numbers that they wrote down."""
        self.clear()
        for path in self.folder.glob("*.pid"):
            self.kill(path.stem, signal.SIGTERM)

    def clear(self) -> None:
        """End all jobs, and have all nodes again."""
        self.said("scancel", "--user=root")
        for i in _numbers():
            if not self.pid(f"slurmd.n{i}"):
                self.said("slurmd", "-N", f"n{i}")
        self.wait_idle()

    def wait_idle(self, seconds: float = 60) -> None:
        """Wait until every node is idle."""
        end = time.monotonic() + seconds
        while self.said("sinfo", "-h", "-N", "-p", "low", "-o", "%T").split() != ["idle"] * NODES:
            assert time.monotonic() < end, self.said("sinfo", "-N", "-l")
            time.sleep(0.1)

    def pid(self, daemon: str) -> int:
        """The process of a daemon; 0 if it has ended."""
        try:
            pid = int((self.folder / f"{daemon}.pid").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return 0
        return pid

    def kill(self, daemon: str, how: signal.Signals) -> None:
        """Send a signal to a daemon, if it lives."""
        if pid := self.pid(daemon):
            os.kill(pid, how)

    def said(self, *command: str) -> str:
        """What a command of Slurm says."""
        shown = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment
        )
        return (shown.stdout + shown.stderr).strip()

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which commands find this cluster."""
        return {**os.environ, "SLURM_CONF": str(self.config)}

    def jobs(self, form: str = "%F_%K") -> list[str]:
        """All tasks that wait or run, in a form of squeue."""
        return self.said("squeue", "-h", "-r", "-o", form).splitlines()

    def hurry(self) -> bool:
        """Let tasks that Slurm starts anew begin now: it waits two minutes by itself. True."""
        for line in self.jobs("%F_%K %r"):
            handle, _, reason = line.partition(" ")
            if reason != "BeginTime":
                self._waiting.pop(handle, None)
                continue
            since = self._waiting.setdefault(handle, time.monotonic())
            if time.monotonic() - since > REVOKED_S:
                self.said("scontrol", "update", f"jobid={handle}", "StartTime=now")
        return True

    def crowd_out(self, seconds: float = 1) -> str:
        """Take all nodes for a job of higher priority; what it is called."""
        return self.said(
            *("sbatch", "--parsable", "-p", "high", f"-N{NODES}", "--ntasks-per-node=4"),
            *("--mem=3900", "-o", "/dev/null", "--wrap", f"sleep {seconds}"),
        )

    def node_processes(self, node: str) -> list[int]:
        """The processes of a node: its daemon, the daemons of its steps, and what they run."""
        found = [self.pid(f"slurmd.{node}")]
        shown = self.said("squeue", "-h", "-r", "-w", node, "-t", "R", "-o", "%A")
        for job in shown.split():
            listed = subprocess.run(
                ["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=False
            ).stdout
            steps = [line.split()[0] for line in listed.splitlines() if f"[{job}." in line]
            found += [pid for step in steps for pid in (int(step), *_below(int(step)))]
        return found

    @contextmanager
    def blind(self, node: str, folder: Path) -> Iterator[None]:
        """Let a node see an empty folder in place of another, as if that were not shared."""
        self._restart(node)
        mount = f"mount -t tmpfs none {folder} && exec slurmd -N {node}"
        self.said("unshare", "--mount", "sh", "-c", mount)
        self.wait_idle()
        try:
            yield
        finally:
            self.clear()
            self._restart(node)
            self.clear()

    def _restart(self, node: str) -> None:
        self.kill(f"slurmd.{node}", signal.SIGTERM)
        end = time.monotonic() + 30
        while self.pid(f"slurmd.{node}") and time.monotonic() < end:
            time.sleep(0.05)

    def kill_node(self, node: str) -> None:
        """End a node as a loss of power does."""
        for pid in self.node_processes(node):
            if pid:
                os.kill(pid, signal.SIGKILL)


def _numbers() -> range:
    return range(1, NODES + 1)


def _below(pid: int) -> Iterator[int]:
    shown = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    for child in shown.stdout.split():
        yield int(child)
        yield from _below(int(child))


def lacking() -> str:
    """Why there can be no cluster here; empty if there can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"want of Slurm ({', '.join(missing)}; the README says how to install it)"
    return "" if os.geteuid() == 0 else "want of root, as whom Slurm's daemons are started"


@pytest.fixture(scope="session")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for all tests."""
    if reason := lacking():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(whole_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, without jobs before and after."""
    monkeypatch.setenv("SLURM_CONF", str(whole_cluster.config))
    whole_cluster.clear()
    yield whole_cluster
    whole_cluster.clear()

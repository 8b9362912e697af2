"""Which process of a training this is: one of them writes, the others do nothing."""

from __future__ import annotations

import os
import sys

# The first one that is set decides. torchrun and accelerate set RANK; srun SLURM_PROCID; mpirun the next two.
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "LOCAL_RANK")
_WORLDS = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


def rank() -> int:
    """From 0; 0 also without any launcher."""
    return _first(_RANKS, 0)


def world() -> int:
    """The number of processes of this training; 1 without any launcher."""
    return max(1, _first(_WORLDS, 1))


def group(launcher: int) -> str:
    """The same for all ranks of one start, and another at the next: by their launcher's process, or what else they share."""
    shared = [os.environ.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT", "SLURM_JOB_ID", "SLURM_STEP_ID")]
    return ":".join([*shared, "" if launcher == os.getpid() else str(launcher)])


def is_worker() -> bool:
    """Is this a process that multiprocessing started (a DataLoader worker that imports the script again)?"""
    multiprocessing = sys.modules.get("multiprocessing.process")
    parent = getattr(multiprocessing, "parent_process", None)
    return parent is not None and parent() is not None


def _first(names: tuple[str, ...], otherwise: int) -> int:
    for name in names:
        value = os.environ.get(name, "")
        if value.isdigit():
            return int(value)
    return otherwise

"""Reserves disk space after the log's end: a trainer would die at its next line on a full disk."""

from __future__ import annotations

import os

KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: blocks are set aside, the file stays as long as it is
ROOMS = (8 << 20, 1 << 20)  # hours of progress lines; what a nearly full disk may still have


def keep(log: int) -> None:
    """Reserves as much space as possible. Does nothing on file systems that can't."""
    try:
        import ctypes  # not before the trainer is started

        fallocate = ctypes.CDLL(None).fallocate
        fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
        end = os.fstat(log).st_size
        for room in ROOMS:
            if fallocate(log, KEEP_SIZE, end, room) == 0:
                return
    except (OSError, AttributeError):
        pass


def give_back(log: int) -> None:
    """Frees the unused space. Only after the last write to the log."""
    try:
        os.ftruncate(log, os.fstat(log).st_size)
    except OSError:
        pass

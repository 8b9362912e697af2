"""The kernel's lock on an output folder: one attempt at a time, whoever starts it."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import NamedTuple

from trackside import contract

_NOT_ON_FOLDERS = (errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class Hold(NamedTuple):
    """`descriptor` holds the lock until it and all inherited copies are closed. `on` tells what was locked: the folder
    itself, a file in it, or nothing, where the file system knows no locks."""

    descriptor: int
    on: str | None


def hold(folder: int) -> Hold:
    """Locks the output folder (a descriptor). Raises BlockingIOError while another attempt has it.

    NFS locks only what is open for writing, so no folders (flock(2)): there a file in it stands for the folder. Where
    there are no locks at all, the records have to do: who started last is refused while the other is heard of.
    """
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Hold(folder, "folder")
    except OSError as error:
        if error.errno not in _NOT_ON_FOLDERS:
            raise
    file = os.open(contract.FILES["lock"], os.O_RDWR | os.O_CREAT, 0o644, dir_fd=folder)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NOT_ON_FOLDERS:
            raise
        return Hold(file, None)
    return Hold(file, "file")

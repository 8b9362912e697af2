"""The kernel's lock on an output folder: one attempt at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import NamedTuple

from trackside._attempt import contract

_NOT_ON_FOLDERS = (errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class Hold(NamedTuple):
    """`descriptor` holds the lock until it and all inherited copies are closed. `on` is the locked object: the folder
    itself, a file in it, or None on a file system without locks."""

    descriptor: int
    on: str | None


def hold(folder: int) -> Hold:
    """Locks the output folder (a descriptor). Raises BlockingIOError while another attempt has it.

    NFS locks only files that are open for writing, so no folders (flock(2)): there a file stands for the folder.
    Without any locks the records decide: a second attempt is refused while the first one gives signs of life.
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

"""Where an attempt's folder is now: people rename, move, remove, replace and unmount folders while a trainer writes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os

_DELETED = " (deleted)"


class Place:
    """The folder that the runner holds open (`folder`, a descriptor), and the path by which its trainer saves."""

    def __init__(self, folder: int, path: str) -> None:
        self.folder, self.path = folder, os.path.abspath(path)
        # The folder's name after a rename, and what our link at the old name says.
        self.moved_to: str | None = None
        self.link: str | None = None
        self.saves_to: str | None = None
        self.missing = 0
        self.parent = self._hear_of_changes()

    def look(self) -> dict[str, object] | str | None:
        """What has changed since the last look: fields of the record, or "removed"; else None. Costs two stats.

        A renamed folder gets a link at its old name, so that later saves arrive where it is. Where that is impossible,
        `saves_to` tells where they go instead.
        """
        try:
            mine = os.fstat(self.folder)
            path = os.readlink(f"/proc/self/fd/{self.folder}")
        except OSError as error:
            # A file server has forgotten it: removed on another host. Twice, for a server may be slow to come back.
            self.missing += error.errno == errno.ESTALE
            return "removed" if self.missing > 1 else None
        self.missing = 0
        if mine.st_nlink == 0 or (path.endswith(_DELETED) and not os.path.exists(path)):
            return "removed"
        if _is(self.path, mine):
            return self._told(path if self.link else None, None)
        if not _is(path, mine):
            return self._told(None, self.path)  # its volume was unmounted
        return self._told(path, None if self._lead_to(path) else self.path)

    def leave(self) -> None:
        """Removes our link."""
        if self.link and _target(self.path) == self.link:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _told(self, moved_to: str | None, saves_to: str | None) -> dict[str, object] | None:
        if (moved_to, saves_to) == (self.moved_to, self.saves_to):
            return None
        self.moved_to, self.saves_to = moved_to, saves_to
        return {"output": moved_to or os.path.realpath(self.path), "saves_to": saves_to}

    def _lead_to(self, path: str) -> bool:
        """Puts a link at the old path. False if there is something else, or no folder to put it in."""
        parent = os.path.dirname(self.path)
        beside = os.path.realpath(parent) == os.path.dirname(path)
        target = os.path.basename(path) if beside else path
        try:
            if self.link and _target(self.path) == self.link:
                os.unlink(self.path)
            os.symlink(target, self.path)
        except OSError:
            return False
        self.link = target
        return True

    def _hear_of_changes(self) -> int | None:
        """SIGIO for each rename and removal beside the folder: quicker than the next heartbeat. None where the kernel has
        no dnotify: then the heartbeat looks."""
        try:
            parent = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY)
            fcntl.fcntl(parent, fcntl.F_NOTIFY, fcntl.DN_RENAME | fcntl.DN_DELETE | fcntl.DN_MULTISHOT)
            return parent
        except OSError:
            return None


def _is(path: str, folder: os.stat_result) -> bool:
    try:
        found = os.stat(path)
    except OSError as error:
        # One that we may not look into is no other one.
        return error.errno in (errno.EACCES, errno.EPERM)
    return (found.st_dev, found.st_ino) == (folder.st_dev, folder.st_ino)


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None

"""Files that are there whole, or not at all."""

from __future__ import annotations

import contextlib
import os


def encoded(text: str) -> bytes:
    """Bytes that Python took for text stay as they were; half a character becomes "?"."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def write_whole(folder: str, name: str, text: str, mode: int = 0o644, *, durable: bool = False) -> None:
    """A reader finds the old file or the new one; `durable` outlives a power cut. Raises OSError."""
    path = os.path.join(folder, name)
    # As the sidecar names its own, which it sweeps away if a kill leaves them (sidecar/files/wholeFile.ts).
    temporary = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(encoded(text + "\n"))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise

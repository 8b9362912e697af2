"""Replaces files, each in one step, and only if the old file is still the one that was read.

A line on standard input: `["new", "path", inode, size, microseconds of the last change]`. A line on standard output:
0 when the two files were exchanged, -1 when another file lies at the path (nothing was changed), or an errno. Node has no
call for renameat2(2) with RENAME_EXCHANGE. Ends with its input.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable

AT_FDCWD = -100
RENAME_EXCHANGE = 2
CHANGED = -1


def main() -> None:
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2

    def exchange(a: bytes, b: bytes) -> int:
        failed: int = renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)
        return ctypes.get_errno() if failed else 0

    print("ready", flush=True)
    for line in sys.stdin:
        new, path, inode, size, changed = json.loads(line)
        print(replace(exchange, os.fsencode(new), os.fsencode(path), (inode, size, changed)), flush=True)


def replace(exchange: Callable[[bytes, bytes], int], new: bytes, path: bytes, expected: tuple[int, int, int]) -> int:
    try:
        ours = identity(new)
        if not same(identity(path), expected):
            return CHANGED
        failed = exchange(new, path)
        if failed:
            return failed
        # The swapped-out file is the one at that very moment.
        out = identity(new)
        if same(out, expected):
            return 0
        # A newer file of others goes back; and if an even newer one came meanwhile, that one.
        below = ours
        while True:
            exchange(new, path)
            back, out = out, identity(new)
            if out[0] == below[0]:
                break
            below = back
        return CHANGED
    except OSError as error:
        return error.errno or CHANGED


def identity(path: bytes) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns // 1000


def same(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
    # The other side's time was a double.
    return a[:2] == b[:2] and abs(a[2] - b[2]) <= 1


if __name__ == "__main__":
    main()

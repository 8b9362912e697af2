"""Kills by the kernel for lack of memory: the counter of this process's control group."""

from __future__ import annotations


def kills() -> int | None:
    """The number of killed processes of this control group; None without a readable counter.

    Version 2: `oom_kill` in memory.events; version 1: in memory.oom_control (Linux, Documentation/admin-guide/cgroup-v2.rst
    and cgroup-v1/memory.rst). In a container the path in /proc/self/cgroup may be the host's: then the root is ours.
    """
    for version, path in _groups():
        root = "/sys/fs/cgroup" if version == 2 else "/sys/fs/cgroup/memory"
        name = "memory.events" if version == 2 else "memory.oom_control"
        for folder in (root + path, root):
            count = _counter(f"{folder}/{name}")
            if count is not None:
                return count
    return None


def _groups() -> list[tuple[int, str]]:
    groups = []
    try:
        with open("/proc/self/cgroup") as file:
            for line in file:
                _, controllers, path = line.rstrip("\n").split(":", 2)
                if "memory" in controllers.split(","):
                    groups.append((1, path))
                elif controllers == "":
                    groups.append((2, path))
    except (OSError, ValueError):
        return groups
    return sorted(groups)


def _counter(path: str) -> int | None:
    try:
        with open(path) as file:
            for line in file:
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    return int(value)
    except (OSError, ValueError):
        pass
    return None

"""Files that others may write are read through one door, trackside/_attempt/regular.py (checkReads.mjs says why, and does the
same for the sidecar). Prints every other way to open a file for reading, and ends with 1 then."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

PACKAGE = Path("trainer-bridge/trackside")
ALLOWED = {
    "_attempt/regular.py": "the door itself",
    "_attempt/folder.py": "makes its file, and asks what it opened",
    "_track/lines.py": "makes its file",
    "_attempt/contract.py": "its own installation",
    "_attempt/out_of_memory.py": "/proc, and the counters in /sys/fs/cgroup",
    "_attempt/processes.py": "/proc",
    "_attempt/record.py": "opens without waiting, and reads a bounded part of a regular file or only its time",
}
SYSTEM = ("/proc/", "/sys/")


def reads(call: ast.Call) -> bool:
    """Does this call open something for reading? Folders, files that are made, and the system's own are none."""
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value.id if isinstance(call.func.value, ast.Name) else None
        if call.func.attr in ("read_text", "read_bytes"):
            return owner != "regular"
        if (owner, call.func.attr) == ("os", "open"):
            flags = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
            return not flags & {"O_DIRECTORY", "O_WRONLY", "O_CREAT", "devnull"}
        return (
            (owner, call.func.attr) == ("Image", "open")
            and isinstance(call.args[0], ast.Name)
            and call.args[0].id != "file"
        )
    if not isinstance(call.func, ast.Name) or call.func.id != "open":
        return False
    mode = (
        call.args[1] if len(call.args) > 1 else next((each.value for each in call.keywords if each.arg == "mode"), None)
    )
    if isinstance(mode, ast.Constant) and str(mode.value)[0] in "wax":
        return False
    return not text(call.args[0]).startswith(SYSTEM)


def text(node: ast.expr) -> str:
    """How a string begins; empty for anything else."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return text(node.values[0])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


wrong, used = [], set()
for path in sorted(PACKAGE.rglob("*.py")):
    name = str(path.relative_to(PACKAGE))
    calls = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call) and reads(node)]
    if calls and name in ALLOWED:
        used.add(name)
    else:
        wrong += [f"{path}:{call.lineno} opens a file by itself; use trackside/_attempt/regular.py" for call in calls]
wrong += [f"test/checkReads.py: {name} reads nothing by itself any more" for name in ALLOWED.keys() - used]
print(*wrong, sep="\n", end="\n" if wrong else "")
sys.exit(bool(wrong))

"""Prints the arguments of a script's own argparse parser as JSON, without running the script's work.

    python -m trackside._describe [--limit SECONDS] [--check ARGV] [-m MODULE | SCRIPT]…

Each script runs up to the parser that reads its command line, in a process of its own, and is ended there, as is all that
it started. Scripts that can't have a parser, or that another library reads the command line for, are refused by a look at
their source, and do not run at all.

The last lines on stdout are one JSON object a script, in order: {"arguments": [{"name", "flags", "dest", "action", "type",
"default", "choices", "nargs", "help", "group", …}, …], "groups", "exclusive", "commands", "files", …}, or {"error": words}.
With --check, a JSON list of tokens, the parser reads these: {"values": {dest: repr}} or {"wrong": words, "flag"}.
Exit code: 0 all described, 1 not all, 2 usage.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
import time
from typing import Any

if not __package__:
    # Run as a file, not with -m: a script's folder may hold modules that are named as ours or as Python's own.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trackside._attempt import regular
from trackside._describe import LIMIT_SECONDS, bounded, check, first_of_two, parser, reach, source
from trackside._describe.modules import Refused


def main(argv: list[str]) -> int:
    try:
        targets, limit, tokens = _read(argv)
    except (ValueError, IndexError):
        targets = []
    if not targets:
        print(__doc__, file=sys.stdout if argv[:1] in (["-h"], ["--help"]) else sys.stderr)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    failed = False
    for target, module in targets:
        answer = describe(target, module, limit, tokens)
        failed = failed or "error" in answer
        print(json.dumps(answer), flush=True)
    return 1 if failed else 0


def _read(argv: list[str]) -> tuple[list[tuple[str, bool]], float, list[str] | None]:
    targets: list[tuple[str, bool]] = []
    limit, tokens = LIMIT_SECONDS, None
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--limit":
            limit = float(rest.pop(0))
        elif word == "--check":
            tokens = [str(each) for each in json.loads(rest.pop(0))]
        elif word == "-m":
            targets.append((rest.pop(0), True))
        elif word.startswith("-"):
            raise ValueError(word)
        else:
            targets.append((word, False))
    return targets, limit, tokens


def describe(target: str, module: bool, limit: float, tokens: list[str] | None = None) -> dict[str, Any]:
    """Never raises: what can't be described is {"error": words that say what to do}."""
    try:
        path = _module_file(target) if module else target
        if not os.path.isfile(path):
            return {"error": f"There is no script {path}."}
        found = source.read(path)
    except Refused as refused:
        return {"error": str(refused)}
    began = time.monotonic()

    def reached(described: Any, parse: Any) -> dict[str, Any]:
        if tokens is not None:
            return check.check(described, parse)
        try:
            return parser.describe(described, first_of_two.kept())
        except Refused as refused:
            return {"error": f"{path} can't be shown: {refused}."}

    answer = bounded.run(
        lambda answer: reach.run(path, target if module else None, tokens or [], reached, answer, found), limit, path
    )
    if "error" in answer or tokens is not None:
        return answer
    seconds = round(time.monotonic() - began, 3)
    return {**answer, "files": hashes(found.files), "seconds": seconds, "uses_trackside": found.uses_trackside}


def hashes(files: list[str]) -> dict[str, str]:
    """SHA-256 of the script and of what it imports from its own folder: a description holds as long as these stay."""
    found = {}
    for path in files:
        found[os.path.abspath(path)] = hashlib.sha256(regular.read_bytes(path)).hexdigest()
    return found


def _module_file(name: str) -> str:
    sys.path.insert(1, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except (ImportError, ValueError, AttributeError) as error:
        raise Refused(f"There is no module {name} in {sys.executable}: {error}.") from error
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise Refused(f"There is no module {name} in {sys.executable} that can be run.")
    return spec.origin


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A script's source as a tree, and the files that it imports, read without importing them."""

from __future__ import annotations

import ast
import errno
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from trackside._attempt import regular

MOST_FILES = 200
LARGEST_FILE = 2_000_000


class Refused(Exception):
    """A script that can't be described, in words that say what to do."""


class Module(NamedTuple):
    path: str
    tree: ast.Module
    names: dict[str, str]


def parse(path: str) -> Module | None:
    try:
        data = regular.read_bytes(path, LARGEST_FILE)
    except OSError as error:
        if error.errno == errno.EFBIG:
            return None
        raise Refused(f"{path} can't be read: {error.strerror}.") from error
    if path.endswith(".ipynb") or data.lstrip()[:1] == b"{" and b'"nbformat"' in data:
        raise Refused(f"{path} is a notebook. Export it as a script: jupyter nbconvert --to script {path}")
    try:
        tree = ast.parse(data, path)
    except SyntaxError as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise Refused(f"{path} is no Python {version} script: line {error.lineno}: {error.msg}.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"{path} is no Python script: {error}.") from error
    return Module(path, tree, _names(tree))


def _names(tree: ast.AST) -> dict[str, str]:
    """Local names of imports: `from typer import run as go` → go: typer.run."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name.split(".")[0]] = each.name if each.asname else each.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                names[each.asname or each.name] = f"{'.' * node.level}{node.module or ''}.{each.name}"
    return names


def imported(main: Module, folder: str) -> list[Module]:
    """The modules in the script's own folder that it imports, and those that they import; then those installed elsewhere
    that the script itself names."""
    found: dict[str, Module] = {os.path.abspath(main.path): main}
    queue = [main]
    while queue and len(found) < MOST_FILES:
        for path in _files_of(queue.pop(), folder):
            if path in found or len(found) >= MOST_FILES:
                continue
            try:
                module = parse(path)
            except Refused:  # the script will say so itself, if it really imports it
                continue
            if module:
                found[path] = module
                queue.append(module)
    del found[os.path.abspath(main.path)]
    return list(found.values())


def _files_of(module: Module, folder: str) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            wanted = [each.name for each in node.names]
            base = folder
        elif isinstance(node, ast.ImportFrom):
            base = os.path.dirname(os.path.abspath(module.path)) if node.level else folder
            for _ in range(node.level - 1):
                base = os.path.dirname(base)
            name = node.module or ""
            wanted = [name, *(f"{name}.{each.name}".lstrip(".") for each in node.names)]
            if node.level and not name:
                yield from _file_of(base, "__init__")
        else:
            continue
        for name in filter(None, wanted):
            yield from _file_of(base, name)


def _file_of(base: str, name: str) -> Iterator[str]:
    """`a.b` → a/__init__.py and a/b.py, as far as they exist."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names:
        return
    for end in range(1, len(parts) + 1):
        stem = os.path.join(base, *parts[:end])
        for path in (f"{stem}.py", os.path.join(stem, "__init__.py")):
            if os.path.isfile(path):
                yield path


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """`t.Typer` with `import typer as t` → typer.Typer; '' for what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return parts[0] if parts else ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))

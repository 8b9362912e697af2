"""A script with two parsers: the first reads a few arguments (a configuration's name) and leaves the rest to the second."""

from __future__ import annotations

import argparse
import ast
import os
from typing import Any

from trackside._attempt import regular
from trackside._describe.modules import Refused
from trackside._describe.source import PARSES

_kept: list[argparse.ArgumentParser] = []

# What may stand between two parsers without being the script's work.
_HARMLESS = {
    *PARSES,
    *("add_argument", "add_argument_group", "add_mutually_exclusive_group", "add_subparsers", "add_parser"),
    *("set_defaults", "get_default", "print", "len", "dict", "list", "set", "str", "int", "float", "bool", "vars"),
    *("getattr", "hasattr", "isinstance", "format", "join", "split", "get", "items", "keys", "values", "update"),
    *("open", "read", "read_text", "load", "loads", "safe_load", "exists", "is_file", "isfile", "Path", "append"),
    *("sorted", "tuple", "zip", "enumerate", "strip", "startswith", "endswith", "items", "copy", "deepcopy"),
}

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def keep(parser: argparse.ArgumentParser) -> None:
    _kept.append(parser)


def kept() -> list[argparse.ArgumentParser]:
    """The parsers that read before the last one."""
    return list(_kept)


def goes_on(caller: Any) -> bool:
    """After parse_known_args at `caller` (a frame), does the same function go on to another parser, doing nothing else in
    between? Raises Refused where it does something else, which must not run."""
    path, line = caller.f_code.co_filename, caller.f_lineno
    try:
        tree = ast.parse(regular.read_bytes(path))
    except (OSError, SyntaxError, ValueError):
        return False
    body = _scope(tree, line)
    at = next((index for index, each in enumerate(body) if each.lineno <= line <= (each.end_lineno or line)), None)
    if at is None:
        return False
    rest = [each for each in body[at + 1 :] if not isinstance(each, _DEFINITIONS)]
    for index, statement in enumerate(rest):
        if any(_called(call) in PARSES for call in _calls(statement)):
            parsers = {_receiver(call) for each in body for call in _calls(each) if _called(call) in PARSES}
            between = [call for each in rest[:index] for call in _calls(each)]
            work = [call for call in between if not (_is_harmless(call) or _takes(call, parsers))]
            if not work:
                return True
            raise Refused(
                f"reads its arguments with two parsers, and calls {_called(work[0]) or 'something'}() in between (line "
                f"{work[0].lineno} of {os.path.basename(path)}). Read all of them with one parser, before any work."
            )
    return False


def _scope(tree: ast.Module, line: int) -> list[ast.stmt]:
    """The statements of the innermost function around a line, or of the module; those of an `if` are its own."""
    body = tree.body
    for node in ast.walk(tree):
        inner = getattr(node, "body", None)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If)) or not isinstance(inner, list):
            continue
        if inner and inner[0].lineno <= line <= (inner[-1].end_lineno or 0):
            body = inner
    return body


def _calls(node: ast.AST) -> list[ast.Call]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Call)]


def _called(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _receiver(call: ast.Call) -> str:
    return call.func.value.id if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) else ""


def _takes(call: ast.Call, parsers: set[str]) -> bool:
    """Is the parser handed to it, to get more arguments? As in `parser = model.modify_options(parser)`."""
    return any(isinstance(each, ast.Name) and each.id in parsers for each in call.args)


def _is_harmless(call: ast.Call) -> bool:
    name = _called(call)
    lowered = name.lower()
    return (
        name in _HARMLESS
        or lowered.endswith(("parser", "option_setter"))
        or "argument" in lowered
        or "add_args" in lowered
    )

"""Reads a script's source, without importing it: can it have a parser, and who reads its command line?"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from typing import NamedTuple

from trackside._attempt import regular
from trackside._describe.modules import LARGEST_FILE, Module, Refused, calls, dotted, imported, parse

# How an application of traitlets (Jupyter's are some) is started, whatever its class is called.
LAUNCHES = "launch_instance"
# The calls by which other libraries take the command line, and what to do instead.
OTHERS: dict[str, tuple[str, ...]] = {
    "typer": ("typer.run", "typer.Typer"),
    "click": ("click.command", "click.group", "rich_click.command", "rich_click.group", "asyncclick.command"),
    "fire": ("fire.Fire", "fire.core.Fire"),
    "hydra": ("hydra.main",),
    "tyro": ("tyro.cli", "tyro.extras."),
    "absl": ("absl.app.run",),
    "docopt": ("docopt.docopt",),
    "cyclopts": ("cyclopts.App", "cyclopts.run"),
    "OmegaConf": ("omegaconf.OmegaConf.from_cli",),
    "sacred": ("sacred.Experiment",),
    "optparse": ("optparse.OptionParser",),
    "traitlets": (LAUNCHES,),
}

PARSES = {"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"}
# What makes a parser, by the ends of names: ArgumentParser, HfArgumentParser, ArgParser (configargparse), jsonargparse.CLI.
MAKES = ("argumentparser", "argparser", "arg_parser", "argument_parser", "jsonargparse", "simple_parsing", "argparse")
DECORATOR = "trackside.trainer"


class Source(NamedTuple):
    """`files`: the script, and the files beside it that it imports. `decorated`: functions with @trackside.trainer.
    `parses`: one of these files reads a command line itself."""

    files: list[str]
    uses_trackside: bool
    decorated: list[str]
    parses: bool


def read(path: str) -> Source:
    """Looks at a script and at what it imports from its own folder. Raises Refused for a script that is better not run."""
    main = parse(path)
    if main is None:
        raise Refused(f"{path} is not a readable Python file.")
    modules = [main, *imported(main, os.path.dirname(os.path.abspath(path)))]
    # optparse's parse_args looks like argparse's.
    own = _parses(main) and "optparse.OptionParser" not in _entries(main)
    decorated = _decorated(main)
    if not own and not decorated:
        _refuse_others(main, modules)
        if not any(_makes_parser(module) for module in modules):
            raise Refused(
                f"{path} reads no arguments with argparse, so there is nothing to fill in. "
                "Give it an argparse parser, or put @trackside.trainer on the function that trains."
            )
    uses = any(name.split(".")[0] == "trackside" for module in modules for name in module.names.values())
    return Source([module.path for module in modules], uses, decorated, any(map(_parses, modules)))


def other_library(path: str, library: str) -> Refused:
    return Refused(
        f"{path} reads its command line with {library}, which can't be listed without running the script. "
        "Put @trackside.trainer on the function that trains, or read its arguments with argparse."
    )


def _parses(module: Module) -> bool:
    """Does it call parse_args itself, or jsonargparse's CLI?"""
    for node in calls(module.tree):
        if isinstance(node.func, ast.Attribute) and (
            node.func.attr in PARSES or node.func.attr.startswith("parse_args")
        ):
            return True
        if dotted(node.func, module.names).startswith("jsonargparse."):
            return True
    return False


def _refuse_others(main: Module, modules: list[Module]) -> None:
    for module in modules:
        if module is not main and not _runs(main, module):
            continue
        for name in _entries(module):
            for library, entries in OTHERS.items():
                if any(name == entry or (entry.endswith(".") and name.startswith(entry)) for entry in entries):
                    raise other_library(main.path, library)


def _runs(main: Module, module: Module) -> bool:
    """Does the script merely hand over to this module: nothing in it, or beside it, makes a parser?"""
    return not _makes_parser(main) and not _makes_parser(module)


def _entries(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == LAUNCHES:
            yield LAUNCHES
        elif isinstance(node, ast.Call):
            yield dotted(node.func, module.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                yield dotted(decorator.func if isinstance(decorator, ast.Call) else decorator, module.names)


def _makes_parser(module: Module) -> bool:
    """A parser may also come from an installed package that the script calls: its file is looked into for the word."""
    for name in (*module.names.values(), *(dotted(call.func, module.names) for call in calls(module.tree))):
        if any(part.lower().endswith(MAKES) for part in name.split(".")):
            return True
    return any(_installed_parser(name) for name in module.names.values())


def _installed_parser(name: str) -> bool:
    """Is the module behind an imported name an installed one that names argparse? Imports nothing."""
    parts = name.split(".")
    if not parts[0] or parts[0] in sys.stdlib_module_names:
        return False
    where: list[str] | None = None
    for end in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:end]), where)
        except (ImportError, ValueError):
            return False
        if spec is None:
            break
        if spec.origin and spec.origin.endswith(".py") and _mentions(spec.origin):
            return True
        if not spec.submodule_search_locations:
            break
        where = list(spec.submodule_search_locations)
    return False


def _mentions(path: str) -> bool:
    try:
        with regular.open_file(path, sys.maxsize) as file:
            return b"argparse" in file.read(LARGEST_FILE)
    except OSError:
        return False


def _decorated(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                plain = decorator.func if isinstance(decorator, ast.Call) else decorator
                if dotted(plain, module.names) == DECORATOR:
                    found.append(node.name)
    return found

"""Runs a script up to the parser that reads its command line. In a process of its own, which `bounded.py` watches."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from trackside._describe import first_of_two
from trackside._describe.kept_out import Answer, guard, keep_out
from trackside._describe.modules import Refused
from trackside._describe.source import Source

# The answer at a parser, and a call that lets it parse.
Reached = Callable[[Any, Callable[[], Any]], dict[str, Any]]


# A script may put something else in its place.
_leave = os._exit


class _CommandLine(list[str]):
    """sys.argv, whose slices are known as parts of the command line: a parser that gets another list reads another."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _CommandLine(found) if isinstance(at, slice) else found

    def __radd__(self, before: list[str]) -> list[str]:
        # HfArgumentParser puts the arguments of a file before it.
        return _CommandLine([*before, *self])


def run(target: str, module: str | None, argv: list[str], reached: Reached, answer: Answer, source: Source) -> None:
    """Runs the script `target` (or the installed `module`) as `python target argv…` would.

    `reached(parser, parse)` makes the answer at its parser; `parse()` parses the command line really. Ends the process
    at the first answer, without a return into the script.
    """

    def end(found: dict[str, Any]) -> None:
        answer(found)
        _leave(0)

    _hook(target, end, reached, source)
    guard(target, end)
    keep_out(target, end)
    sys.argv = _CommandLine([target, *argv])
    sys.path[0] = os.path.dirname(os.path.abspath(target)) if module is None else os.getcwd()
    try:
        if module is None:
            runpy.run_path(target, run_name="__main__")
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        _wait_for_threads()
    except BaseException as error:  # whatever a stranger's script raises is the answer
        traceback.print_exc()
        end({"error": words_for(error, target)})
    end({"error": _no_parser(target, source)})


def _wait_for_threads() -> None:
    """As an interpreter does at its end: one of them may reach the parser."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _no_parser(target: str, source: Source) -> str:
    if source.decorated:
        name = source.decorated[0]
        return f'{target} never calls {name}(): write at its end: if __name__ == "__main__": {name}()'
    return f"{target} ended without reading its arguments with argparse."


def words_for(error: BaseException, target: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"{target} needs the Python package {error.name}, which {sys.executable} does not have. Install it there, "
            "or choose another Python."
        )
    if isinstance(error, ImportError) and "relative import" in str(error):
        return f"{target} is part of a package. Name it as a module: -m package.{os.path.basename(target)[:-3]}"
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code
        return f"{target} ended (exit code {code}) before it read its arguments."
    if isinstance(error, EOFError) and "reading a line" in str(error):
        return f"{target} asks for input before it reads its arguments, and nobody can answer there."
    if isinstance(error, Refused):
        return str(error)
    return f"{target} failed before it read its arguments: {type(error).__name__}: {str(error)[:500]}"


def _hook(target: str, end: Answer, reached: Reached, source: Source) -> None:
    """Stops at the parser. jsonargparse has its own parse_args, so the hook sits in what all of them call."""
    parser_class: Any = argparse.ArgumentParser
    really, known, intermixed = (
        parser_class._parse_known_args,
        parser_class.parse_known_args,
        parser_class.parse_known_intermixed_args,
    )
    parse_args = parser_class.parse_args
    here = threading.local()

    def stop(parser: Any, arguments: list[str], *more: Any, **named: Any) -> Any:
        if getattr(here, "passing", 0):
            return really(parser, arguments, *more, **named)
        given = getattr(here, "given", None)
        own = isinstance(given, _CommandLine) or _has_own_parse(parser) or first_of_two.kept()
        if given is not None and not own:
            # What follows a list of the script's own may be its work. A library's may be its defaults, if the script itself
            # has another parser; an empty one is taken for the command line.
            if given and source.parses and not _is_of(target, here.caller):
                return _pass(here, really, parser, arguments, *more, **named)
            if given or _is_of(target, here.caller):
                end({"error": f"{target} parses a fixed list of arguments: call parse_args() without one."})
        if not getattr(here, "strict", 0) and not _has_own_parse(parser):
            try:
                goes_on = first_of_two.goes_on(here.caller)
            except Refused as refused:
                end({"error": f"{target} {refused}"})
            if goes_on:
                first_of_two.keep(parser)
                return _pass(here, really, parser, arguments, *more, **named)
        here.passing = 1
        end(reached(parser, lambda: really(parser, arguments, *more, **named)))

    def parse_known_args(parser: Any, args: Any = None, namespace: Any = None, **more: Any) -> Any:
        if not getattr(here, "passing", 0):
            here.given, here.caller = args, here.outer if getattr(here, "strict", 0) else sys._getframe(1)
        return known(parser, args, namespace, **more)

    def strict(original: Callable[..., Any]) -> Callable[..., Any]:
        def parse(parser: Any, args: Any = None, namespace: Any = None) -> Any:
            here.strict, here.outer = getattr(here, "strict", 0) + 1, sys._getframe(1)
            try:
                return original(parser, args, namespace)
            finally:
                here.strict -= 1

        return parse

    def parse_intermixed(parser: Any, args: Any = None, namespace: Any = None) -> Any:
        # It takes the positional arguments apart before it parses.
        if not getattr(here, "passing", 0):
            here.passing = 1
            end(reached(parser, lambda: intermixed(parser, args, namespace)))
        return intermixed(parser, args, namespace)

    def shown(original: Callable[..., Any]) -> Callable[..., Any]:
        # Many scripts print their help where nobody gave an argument, and end.
        def show(parser: Any, *given: Any, **named: Any) -> Any:
            if _is_of(target, sys._getframe(1)) and not getattr(here, "passing", 0):
                here.passing = 1
                end(reached(parser, lambda: really(parser, [], argparse.Namespace())))
            return original(parser, *given, **named)

        return show

    for name in ("print_help", "print_usage", "format_help"):
        setattr(parser_class, name, shown(getattr(parser_class, name)))
    parser_class._parse_known_args = stop
    parser_class.parse_known_args = parse_known_args
    parser_class.parse_args = strict(parse_args)
    parser_class.parse_known_intermixed_args = parse_intermixed


def _pass(here: Any, really: Callable[..., Any], *given: Any, **named: Any) -> Any:
    here.passing = getattr(here, "passing", 0) + 1
    try:
        return really(*given, **named)
    finally:
        here.passing -= 1


def _has_own_parse(parser: Any) -> bool:
    """A subclass with its own parse_args calls ours with a list of its own making."""
    for each in ("parse_args", "parse_known_args"):
        if getattr(type(parser), each) is not getattr(argparse.ArgumentParser, each):
            return True
    return False


def _is_of(target: str, frame: Any) -> bool:
    """Is the caller code of the script's own folder, rather than an installed library's?"""
    folder = os.path.dirname(os.path.abspath(target))
    path = os.path.abspath(frame.f_code.co_filename)
    return path.startswith(folder + os.sep) and "site-packages" not in path[len(folder) :]

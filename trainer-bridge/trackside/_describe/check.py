"""Lets a script's own parser read a command line, and says what it made of it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from typing import Any


class _Wrong(BaseException):
    def __init__(self, words: str) -> None:
        self.words = words


def check(parser: argparse.ArgumentParser, parse: Callable[[], Any]) -> dict[str, Any]:
    """{"values": {dest: repr}} as the script would get them, or {"wrong": the parser's words, "flag": whose}."""
    for each in _all(parser):
        each.error = _raise  # type: ignore[method-assign,assignment]
        each.exit = _exit  # type: ignore[method-assign,assignment]
    # It would open, and create, the files.
    setattr(argparse.FileType, "__call__", lambda self, path: path)  # noqa: B010
    try:
        read = parse()
    except argparse.ArgumentError as error:
        return {"wrong": error.message, "flag": error.argument_name}
    except _Wrong as error:
        named = re.match(r"argument ([^:]+): (.*)", error.words, re.DOTALL)
        return {"wrong": named[2] if named else error.words, "flag": named[1] if named else None}
    except SystemExit as error:
        return {"wrong": f"The script ends with exit code {error.code} at these arguments.", "flag": None}
    namespace, more = read if isinstance(read, tuple) else (read, [])
    if more:
        return {"wrong": f"unrecognized arguments: {' '.join(map(str, more))}", "flag": None}
    return {"values": {name: repr(value) for name, value in vars(namespace).items() if not name.startswith("_")}}


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in {id(one): one for one in action.choices.values()}.values():
                yield from _all(each)


def _raise(message: str) -> None:
    raise _Wrong(message)


def _exit(status: int = 0, message: str | None = None) -> None:
    raise SystemExit(status)

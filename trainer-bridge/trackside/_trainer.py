"""`@trackside.trainer`: a function with type hints is a command line, and so a form."""

from __future__ import annotations

import argparse
import enum
import functools
import inspect
import os
import re
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

Function = TypeVar("Function", bound=Callable[..., Any])


def trainer(function: Function) -> Function:
    """Makes the parameters of a function the fields of a form, and the arguments of a command line.

    ```python
    import trackside

    @trackside.trainer
    def train(steps: int = 1000, lr: float = 1e-4, optimizer: Literal["adam", "sgd"] = "adam"):
        \"\"\"Trains on the pictures.

        steps: how many optimizer steps
        lr: learning rate
        \"\"\"

    if __name__ == "__main__":
        train()
    ```

    `python my_train.py --steps 500` works as before, `trackside add my_train.py` shows it on the page. Called without
    arguments in the script itself, the function takes them from the command line; with arguments, or imported, it is
    the plain function. int, float, str, bool, Path, Literal, Enum, Optional and list of these; without a default an
    argument is required. Lines of the docstring `name: text` (also in the styles of Google, NumPy and Sphinx) are the
    help. Raises TypeError at the call for a parameter of another type.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if args or kwargs or function.__module__ != "__main__":
            return function(*args, **kwargs)
        given = vars(parser_of(function).parse_args())
        tuples = {name for name, hint in typing.get_type_hints(function).items() if get_origin(hint) is tuple}
        return function(**{name: tuple(value) if name in tuples and value else value for name, value in given.items()})

    return typing.cast(Function, run)


def parser_of(function: Callable[..., Any]) -> argparse.ArgumentParser:
    """The command line of a function. Raises TypeError for a parameter that can't be one of its arguments."""
    parameters = inspect.signature(function).parameters
    words, helps = _docstring(inspect.getdoc(function) or "", set(parameters))
    parser = argparse.ArgumentParser(description=words, allow_abbrev=False)
    hints = typing.get_type_hints(function)
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise TypeError(f"{function.__name__}: {parameter} can't be an argument of a command line; name each one.")
        hint = hints.get(name, type(parameter.default) if parameter.default not in (None, parameter.empty) else str)
        _add(parser, function, name, hint, parameter.default, helps.get(name))
    return parser


def _add(
    parser: argparse.ArgumentParser, function: Callable[..., Any], name: str, hint: Any, default: Any, words: str | None
) -> None:
    required = default is inspect.Parameter.empty
    flag = f"--{name}"
    more: dict[str, Any] = {"required": required, "default": None if required else default, "dest": name}
    more["help"] = (words or "").replace("%", "%%") or None
    hint = _without_none(hint)
    if get_origin(hint) in (list, tuple) or hint in (list, tuple):
        members = [each for each in get_args(hint) if each is not ...] or [str]
        fixed = get_origin(hint) is tuple and ... not in get_args(hint)
        if len(set(members)) > 1:
            raise _no_argument(function, name, hint)
        more["nargs"] = len(members) if fixed else "*"
        hint = members[0]
    if hint is bool and "nargs" not in more:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **more)
        return
    of_type, choices, metavar = _type_of(function, name, hint)
    parser.add_argument(flag, type=of_type, choices=choices, metavar=metavar, **more)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        members = [each for each in get_args(hint) if each is not type(None)]
        return members[0] if len(members) == 1 else hint
    return hint


def _type_of(function: Callable[..., Any], name: str, hint: Any) -> tuple[Any, list[Any] | None, str | None]:
    if hint is Any or hint is str:
        return str, None, None
    if hint in (int, float):
        return hint, None, None
    if get_origin(hint) is Literal:
        return _one_of({str(each): each for each in get_args(hint)}), list(get_args(hint)), None
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        named = {each.name: each for each in hint}
        return _one_of(named), list(hint), "{" + ",".join(named) + "}"
    if isinstance(hint, type) and issubclass(hint, os.PathLike):
        return hint, None, None
    raise _no_argument(function, name, hint)


def _one_of(values: dict[str, Any]) -> Callable[[str], Any]:
    def choice(text: str) -> Any:
        if text not in values:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(values)}")
        return values[text]

    return choice


def _no_argument(function: Callable[..., Any], name: str, hint: Any) -> TypeError:
    said = getattr(hint, "__name__", None) if get_origin(hint) is None else None
    return TypeError(
        f"{function.__name__}: {name}: {said or hint} can't be an argument of a command line. "
        "Use int, float, str, bool, Path, Literal, an Enum, or a list of them."
    )


# short: the docstring of a person's own function
_HELP = re.compile(r"(?:[:@]param )?(?:[\w.\[\]| ]+ )?\*{0,2}(\w+)(?: *\([^)]*\))? ?: *(.*)")


def _docstring(text: str, names: set[str]) -> tuple[str | None, dict[str, str]]:
    """The words before the first line on a parameter, and the help of each parameter."""
    helps: dict[str, str] = {}
    words: list[str] = []
    last, depth, numpy = "", 0, False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        found = _HELP.fullmatch(line.strip())
        if re.fullmatch(r"(?:Args|Arguments|Parameters|Returns|Raises|Yields|Examples?):?|-+", line.strip()):
            numpy, last = numpy or line.strip().startswith("---"), ""
        elif found and found[1] in names and not (last and indent > depth):
            last, depth = found[1], indent
            helps[last] = "" if numpy else found[2]
        elif last and line.strip() and indent > depth:
            helps[last] = f"{helps[last]} {line.strip()}".strip()
        elif not helps:
            words.append(line)
    return "\n".join(words).strip() or None, helps

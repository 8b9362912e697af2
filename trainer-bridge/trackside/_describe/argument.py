"""What one argument of a parser takes, as plain values for JSON."""

from __future__ import annotations

import argparse
import enum
import itertools
import json
import os
import re
from typing import Any, Literal, get_args, get_origin

MOST_CHOICES = 500
LONGEST_TEXT = 4000

ACTIONS = {
    "_StoreAction": "store",
    "_StoreTrueAction": "store_true",
    "_StoreFalseAction": "store_false",
    "_StoreConstAction": "store_const",
    "_AppendAction": "append",
    "_AppendConstAction": "store_const",
    "_ExtendAction": "extend",
    "_CountAction": "count",
    "_HelpAction": "help",
    "_VersionAction": "version",
    "BooleanOptionalAction": "boolean_optional",
}
# jsonargparse's own, which do something else than take a value.
_LEFT_OUT = {"_ActionPrintConfig", "_ActionHelpClassPath", "ActionFail"}


def describe_action(action: argparse.Action, group: Any, parser: argparse.ArgumentParser) -> dict[str, Any]:
    kind = ACTIONS.get(type(action).__name__, "custom")
    hint = getattr(action, "_typehint", None)
    if hint is not None and kind == "custom":
        kind = "store"
    of_type = _hinted(hint) if hint is not None else type_name(action.type)
    choices, tokens, bounds = describe_choices(action, parser, hint)
    if type(action).__name__ in _LEFT_OUT or (
        kind == "custom" and action.nargs == 0 and action.dest == argparse.SUPPRESS
    ):
        kind = "help"
    return {
        "flags": list(action.option_strings),
        "dest": str(action.dest),
        "action": kind,
        "type": of_type,
        "custom_type": of_type not in (None, "int", "float", "str", "Path") or kind == "custom",
        "booleans": None if choices is not None else _booleans(action.type, parser, action),
        "default": plain(action.default),
        "const": plain(action.const),
        "choices": choices,
        "tokens": tokens,
        "bounds": bounds,
        "nargs": action.nargs if action.nargs is None or isinstance(action.nargs, int) else str(action.nargs),
        "required": _is_required(action),
        "metavar": _metavar(action),
        "help": help_text(action, parser),
        "hidden": action.help is argparse.SUPPRESS,
        "deprecated": bool(getattr(action, "deprecated", False)),
        "group": clipped(group.title) if group else None,
    }


def _is_required(action: argparse.Action) -> bool:
    if action.option_strings:
        return bool(action.required)
    return action.nargs not in ("?", "*", "...", argparse.SUPPRESS)


def type_name(of_type: Any) -> str | None:
    if of_type is None:
        return None
    if isinstance(of_type, str):  # registered with the parser under this name
        return of_type
    if isinstance(of_type, type) and issubclass(of_type, os.PathLike):
        return "Path"
    return str(getattr(of_type, "__name__", None) or type(of_type).__name__)


def _hinted(hint: Any) -> str | None:
    """jsonargparse's type: of Optional[int] that of its value."""
    members = [each for each in get_args(hint) if each is not type(None)] if get_origin(hint) is not Literal else []
    single = (
        members[0]
        if len(members) == 1 and str(get_origin(hint)) in ("typing.Union", "<class 'types.UnionType'>")
        else hint
    )
    return type_name(single) if single in (int, float, str) else "hinted"


def describe_choices(
    action: argparse.Action, parser: argparse.ArgumentParser, hint: Any
) -> tuple[list[Any] | None, list[str | None] | None, list[int] | None]:
    """The choices as shown, the text that gives each on the command line (None, which no text gives, is left out), and
    first, last and step of a range of numbers."""
    found: Any = action.choices
    if hint is not None:
        found = _hinted_choices(hint)
        if found is None:
            return None, None, None
        return [plain(each) for each in found], [_token_of(each) for each in found], None
    if found is None:
        return None, None, None
    if isinstance(found, range) and len(found) > 20 and action.type is int:
        return None, None, [found[0], found[-1], found.step]
    several = _several(found, MOST_CHOICES + 1)
    if not 0 < len(several) <= MOST_CHOICES:
        return None, None, None
    shown, tokens = [], []
    for choice in several:
        token = _token(choice, action, parser)
        shown.append(plain(choice))
        tokens.append(token)
    return shown, tokens, None


def _hinted_choices(hint: Any) -> list[Any] | None:
    single = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if len(single) == 1 and get_origin(single[0]) is Literal:
        return list(get_args(single[0]))
    for each in [hint, *single]:
        if isinstance(each, type) and issubclass(each, enum.Enum):
            return list(each)
        if each is bool:
            return [True, False]
    return None


def _token_of(choice: Any) -> str:
    return (
        choice.name
        if isinstance(choice, enum.Enum)
        else str(choice).lower()
        if isinstance(choice, bool)
        else str(choice)
    )


def _token(choice: Any, action: argparse.Action, parser: argparse.ArgumentParser) -> str | None:
    """The text from which the parser's own type makes this choice; None if no likely one does."""
    if action.type is None:
        return choice if isinstance(choice, str) else None
    likely = [str(choice), repr(choice)]
    if isinstance(choice, enum.Enum):
        likely = [choice.name, str(choice.value), choice.name.lower(), *likely]
    return next((text for text in likely if _gives(text, choice, action, parser)), None)


def _gives(text: str, wanted: Any, action: argparse.Action, parser: argparse.ArgumentParser) -> bool:
    try:
        found = parser._get_value(action, text)
        return bool(found == wanted and isinstance(found, bool) == isinstance(wanted, bool))
    except BaseException:  # whatever a stranger's type raises: then it isn't this one
        return False


_SAYS_YES_OR_NO = re.compile(r"bool|yes|truth|true|flag|on_?off", re.IGNORECASE)


def _booleans(of_type: Any, parser: argparse.ArgumentParser, action: argparse.Action) -> list[str] | None:
    """The texts for yes and no, of a type that knows only these two. `type=bool` takes every text for yes but none."""
    name = type_name(of_type) or ""
    if not _SAYS_YES_OR_NO.search(name) or action.nargs not in (None, "?"):
        return None
    pairs = [("True", "")] if of_type is bool else [("true", "false"), ("True", "False"), ("yes", "no"), ("1", "0")]
    for yes, no in pairs:
        if _gives(yes, True, action, parser) and _gives(no, False, action, parser):
            return [yes, no]
    return None


def _metavar(action: argparse.Action) -> str | None:
    if isinstance(action.metavar, (list, tuple)):
        return " ".join(map(str, action.metavar))[:200]
    return str(action.metavar)[:200] if action.metavar is not None else None


def plain(value: object) -> object:
    """A value for JSON; other types, and infinite numbers, as text."""
    if value is argparse.SUPPRESS:
        return None
    if isinstance(value, enum.Enum):
        return plain(value.value) if isinstance(value.value, (str, int, float)) else value.name
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else _said(value)
    if isinstance(value, float):
        return float(value) if value - value == 0 else str(value)
    if isinstance(value, str):
        return str.__str__(value)[:LONGEST_TEXT]
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [plain(item) for item in itertools.islice(value, MOST_CHOICES)]
        return [item if isinstance(item, (str, int, float, bool)) else json.dumps(item) for item in items]
    return _said(value)


def _said(value: object) -> str | None:
    """None for an object that says only where in the memory it lies."""
    try:
        text = str(value)
    except Exception:
        return None
    return None if re.search(r"\bat 0x[0-9a-f]+>", text) else text[:LONGEST_TEXT]


def help_text(action: argparse.Action, parser: argparse.ArgumentParser) -> str | None:
    if action.help is None or action.help == argparse.SUPPRESS:
        return None
    known = {name: value for name, value in vars(action).items() if value is not argparse.SUPPRESS}
    for name in ("type", "default", "const"):
        known[name] = getattr(known.get(name), "__name__", known.get(name))
    # Only as many as a person reads: argparse itself would write out range(10**9).
    known["choices"] = ", ".join(map(str, _several(action.choices, 50)))
    try:
        return clipped(action.help % {**known, "prog": parser.prog})
    except Exception:
        # A lone percent sign breaks argparse's own --help in the same way.
        return clipped(action.help)


def _several(values: Any, most: int) -> list[Any]:
    try:
        return list(itertools.islice(iter(values), most))
    except TypeError:  # none, or a container that only knows what is in it
        return []


def clipped(text: object) -> str | None:
    if text is None or text is argparse.SUPPRESS:
        return None
    words = str(text).strip()
    return words if len(words) <= LONGEST_TEXT else f"{words[: LONGEST_TEXT - 1]}…"

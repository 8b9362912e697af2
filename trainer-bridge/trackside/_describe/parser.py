"""What a parser takes, as plain values for JSON."""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Iterable
from typing import Any

from trackside._describe.argument import clipped, describe_action
from trackside._describe.modules import Refused

MOST_ARGUMENTS = 2000
DEEPEST = 4


def describe(parser: argparse.ArgumentParser, before: Iterable[argparse.ArgumentParser] = ()) -> dict[str, Any]:
    """The arguments of a parser; `before` are parsers that read first, and leave to it what they don't know."""
    described = describe_one(parser, "", 0)
    for first in before:
        described = _with(describe_one(first, "", 0), described)
    if _count(described) > MOST_ARGUMENTS:
        raise Refused(f"it has more than {MOST_ARGUMENTS} arguments, too many for a form")
    return described


def describe_one(parser: argparse.ArgumentParser, prefix: str, depth: int) -> dict[str, Any]:
    names = _Names(prefix)
    groups = {id(action): group for group in parser._action_groups for action in group._group_actions}
    arguments = []
    commands = None
    by_action: dict[int, str] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            commands = _describe_commands(action, groups.get(id(action)), names, prefix, depth)
            continue
        described = describe_action(action, groups.get(id(action)), parser)
        described["name"] = names.of(action, parser)
        by_action[id(action)] = described["name"]
        arguments.append(described)
    return {
        "description": clipped(_expanded(parser.description, parser)),
        "arguments": arguments,
        "groups": [
            {"title": clipped(group.title), "description": clipped(group.description)}
            for group in parser._action_groups
            if group._group_actions
        ],
        "exclusive": [
            {"required": bool(group.required), "members": members}
            for group in parser._mutually_exclusive_groups
            if len(members := [by_action[id(each)] for each in group._group_actions if id(each) in by_action]) > 1
        ],
        "commands": commands,
        "prefix_chars": parser.prefix_chars,
        "fromfile": parser.fromfile_prefix_chars or "",
        "negative_values": not parser._has_negative_number_optionals,
    }


class _Names:
    """A name for each argument, unlike the others of its parser: its first long flag without dashes, or its dest."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.taken: set[str] = set()

    def of(self, action: argparse.Action, parser: argparse.ArgumentParser) -> str:
        dashes = parser.prefix_chars
        long = [each for each in action.option_strings if len(each) > 2 and each[1] in dashes]
        flags = long or sorted(action.option_strings, key=len, reverse=True)
        return self.free(flags[0].lstrip(dashes) if flags else action.dest)

    def free(self, name: str) -> str:
        # Signs that stand for something else in the names of a form.
        plain = re.sub(r"[\[\]/?@\x00-\x1f\x7f]", "_", name) or "argument"
        free = next(
            each
            for each in itertools.chain([plain], (f"{plain}_{n}" for n in itertools.count(2)))
            if each not in self.taken
        )
        self.taken.add(free)
        return self.prefix + free


def _describe_commands(
    action: argparse._SubParsersAction[Any], group: Any, names: _Names, prefix: str, depth: int
) -> dict[str, Any]:
    if depth >= DEEPEST:
        raise Refused(f"its commands are nested more than {DEEPEST} deep, too deep for a form")
    helps = {each.dest: each.help for each in action._choices_actions}
    choices: dict[int, dict[str, Any]] = {}
    deprecated = getattr(action, "_deprecated", ())
    for value, parser in action._name_parser_map.items():
        known = choices.get(id(parser))
        if known:
            known["aliases"].append(value)
            continue
        parts = describe_one(parser, f"{prefix}{_Names('').free(value)}/", depth + 1)
        choices[id(parser)] = {
            "value": value,
            "aliases": [],
            "help": clipped(helps.get(value)),
            "deprecated": value in deprecated,
            **parts,
        }
    named = action.dest if action.dest not in (None, argparse.SUPPRESS) else "command"
    return {
        "name": names.free(named),
        "required": bool(action.required),
        "title": clipped(group.title if group and group.title not in ("options", "positional arguments") else None),
        "help": clipped(action.help if action.help is not argparse.SUPPRESS else None),
        "choices": list(choices.values()),
    }


def _expanded(text: str | None, parser: argparse.ArgumentParser) -> str | None:
    if not text:
        return None
    return text.replace("%(prog)s", parser.prog) if isinstance(text, str) else str(text)


def _with(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both parsers' arguments: those of the first that the second does not have come first."""
    flags = {flag for each in second["arguments"] for flag in each["flags"]}
    names = {each["name"] for each in second["arguments"]}
    own = [each for each in first["arguments"] if not set(each["flags"]) & flags and each["name"] not in names]
    if any(not each["flags"] for each in own) or first["commands"]:
        raise Refused("reads its arguments with two parsers, the first of which takes more than options")
    kept = {each["name"] for each in own}
    exclusive = [each for each in first["exclusive"] if set(each["members"]) <= kept]
    groups = first["groups"] + [each for each in second["groups"] if each not in first["groups"]]
    return {
        **second,
        "arguments": own + second["arguments"],
        "exclusive": exclusive + second["exclusive"],
        "groups": groups,
    }


def _count(described: dict[str, Any]) -> int:
    commands = described["commands"]
    return len(described["arguments"]) + sum(_count(each) for each in (commands["choices"] if commands else []))

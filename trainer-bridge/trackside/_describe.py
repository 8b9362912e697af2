"""Prints the arguments of a script's own argparse parser as JSON, without running the script's work.

    python -m trackside._describe my_train.py

The script runs up to its first parse_args() or parse_known_args(), and ends there. The last line on stdout is
{"arguments": [{"flags", "dest", "action", "type", "default", "choices", "nargs", "help", "group"}, …]}, or {"error": "…"},
with exit code 1.
"""

import argparse
import json
import os
import runpy
import sys
import traceback

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


class ParserReached(BaseException):
    """Ends the script, past any `except Exception` of its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def main(argv: list[str]) -> int:
    """Describes the script named by the only argument. Exit code: 0 described, 1 not described, 2 usage."""
    if len(argv) != 1 or argv[0] in ("-h", "--help"):
        print(__doc__, file=sys.stdout if argv else sys.stderr)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    answer = describe(argv[0])
    # Alone on the last line, whatever the script printed before it.
    print("\n" + json.dumps(answer), flush=True)
    return 1 if "error" in answer else 0


def describe(script: str) -> dict[str, object]:
    """Runs `script` up to its parser. Returns errors in words, never raises."""
    if not os.path.isfile(script):
        return {"error": f"There is no script {script}."}
    try:
        run_to_parser(script)
    except ParserReached as reached:
        return {"arguments": describe_parser(reached.parser)}
    except ModuleNotFoundError as missing:
        return {"error": f"{script} needs the Python package {missing.name}, which {sys.executable} does not have."}
    except SystemExit as ended:
        return {"error": f"{script} ended (exit code {ended.code}) before it read its arguments."}
    except BaseException as error:  # whatever a stranger's script raises is the answer
        traceback.print_exc()
        return {"error": f"{script} failed before it read its arguments: {type(error).__name__}: {error}"}
    return {"error": f"{script} reads no arguments with argparse."}


def run_to_parser(script: str) -> None:
    def stop(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        raise ParserReached(parser)

    for method in ("parse_args", "parse_known_args"):
        setattr(argparse.ArgumentParser, method, stop)
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    runpy.run_path(script, run_name="__main__")


def describe_parser(parser: argparse.ArgumentParser) -> list[dict[str, object]]:
    groups = {id(action): group.title for group in parser._action_groups for action in group._group_actions}
    return [describe_action(action, groups.get(id(action)), parser) for action in parser._actions]


def describe_action(action: argparse.Action, group: str | None, parser: argparse.ArgumentParser) -> dict[str, object]:
    return {
        "flags": list(action.option_strings),
        "dest": action.dest,
        "action": ACTIONS.get(type(action).__name__, "store"),
        "type": None if action.type is None else getattr(action.type, "__name__", str(action.type)),
        "default": plain(action.default),
        "choices": None if action.choices is None else [plain(choice) for choice in action.choices],
        "nargs": action.nargs,
        "help": help_text(action, parser),
        "group": group,
    }


def plain(value: object) -> object:
    """A value for JSON; other types, and infinite numbers, as text."""
    if value is argparse.SUPPRESS:
        return None
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [item if isinstance(item, (str, int, float, bool)) else str(item) for item in value]
    return str(value)


def help_text(action: argparse.Action, parser: argparse.ArgumentParser) -> str | None:
    if action.help is None or action.help == argparse.SUPPRESS:
        return None
    try:
        return parser._get_formatter()._expand_help(action)
    except (KeyError, TypeError, ValueError):
        # A lone percent sign breaks argparse's own --help in the same way.
        return action.help


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Makes parsers as told on standard input, describes them, and lets them read command lines: one JSON line a request."""

import argparse
import json
import sys

from trackside._describe import parser as describer

KINDS = {
    "text": {},
    "integer": {"type": int},
    "number": {"type": float},
    "choice": {"type": int, "choices": [1, 2, 30]},
    "switch": {"action": "store_true"},
    "off": {"action": "store_false"},
    "const": {"action": "store_const", "const": "c"},
    "boolean": {"action": argparse.BooleanOptionalAction},
    "trap": {"type": bool},
    "count": {"action": "count"},
    "append": {"action": "append"},
    "extend": {"action": "extend", "nargs": "+"},
    "pairs": {"action": "append", "nargs": 2},
    "many lists": {"action": "append", "nargs": "*"},
    "any": {"nargs": "*"},
    "some": {"nargs": "+"},
    "three": {"nargs": 3},
    "one": {"nargs": 1},
    "numbers": {"nargs": "*", "type": float},
    "optional": {"nargs": "?", "const": "bare"},
    "rest": {"nargs": argparse.REMAINDER},
}


def make(told: dict, parser: argparse.ArgumentParser, letter: str = "a") -> argparse.ArgumentParser:
    for at, (kind, place) in enumerate(told["arguments"]):
        name = f"{letter}{at}"
        flags = {"long": [f"--{name}"], "short": [f"-{chr(97 + at)}"], "both": [f"-{chr(97 + at)}", f"--{name}"]}
        parser.add_argument(*flags.get(place, [name]), **KINDS[kind], **({"dest": name} if place in flags else {}))
    if told.get("commands"):
        commands = parser.add_subparsers(dest="command", required=True)
        for name, inner in told["commands"].items():
            make(inner, commands.add_parser(name), "b")
    return parser


def answer(told: dict) -> dict:
    parser = make(told, argparse.ArgumentParser(exit_on_error=False, fromfile_prefix_chars=told.get("fromfile")))
    found = {"description": describer.describe(parser)}
    if "argv" in told:
        try:
            read = vars(parser.parse_args(told["argv"]))
            found["values"] = {name: "inf" if value == float("inf") else value for name, value in read.items()}
        except (argparse.ArgumentError, SystemExit) as error:
            found["wrong"] = str(error)
    return found


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))

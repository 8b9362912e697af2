"""A training of a stranger, for tests: it says what it was given, and trains until it is stopped if it is told so."""

import argparse
import json
import sys
import time


def even(text):
    if int(text) % 2:
        raise argparse.ArgumentTypeError(f"{text} is odd")
    return int(text)


parser = argparse.ArgumentParser(description="Trains </p><script>alert(1)</script>.")
parser.add_argument("--seed", type=even, default=42, help='even "><img src=x onerror=alert(1)>')
parser.add_argument("--output-dir")
length = parser.add_mutually_exclusive_group(required=True)
length.add_argument("--steps", type=int)
length.add_argument("--epochs", type=int)
length.add_argument("--forever", action="store_true")
parser.add_argument("--ema", action=argparse.BooleanOptionalAction, default=True)
commands = parser.add_subparsers(dest="command", required=True)
train = commands.add_parser("train", help="makes a LoRA")
train.add_argument("--lr", type=float, default=1e-4)
train.add_argument("--tags", nargs="*")
train.add_argument("--fail", type=int, default=0)
evaluate = commands.add_parser("evaluate", help="looks at one")
evaluate.add_argument("weights")
args = parser.parse_args()
print("given", json.dumps(vars(args)), flush=True)
while args.forever:
    time.sleep(0.1)
sys.exit(getattr(args, "fail", 0))

"""Names of checkpoints and state folders, and which old ones a new one replaces (train_util.py:89-100, :5786)."""

import argparse


def epoch_name(args: argparse.Namespace, epoch: int) -> str:
    return f"{args.output_name or 'epoch'}-{epoch:06d}"


def step_name(args: argparse.Namespace, step: int) -> str:
    return f"{args.output_name or 'at'}-step{step:08d}"


def last_name(args: argparse.Namespace) -> str:
    return args.output_name or "last"


def replaced_epoch(args: argparse.Namespace, epoch: int, keep: int | None) -> int | None:
    """The epoch whose files go once those of `epoch` are there; None when nothing goes. `keep` is a number of files."""
    if keep is None:
        return None
    old = epoch - args.save_every_n_epochs * keep
    return old if old >= 0 else None

"""What a run saves, and when, with the lines that it prints then."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import console
from .checkpoint import remove_checkpoint, save_checkpoint
from .output_names import epoch_name, last_name, replaced_epoch, step_name
from .state_folder import save_state

if TYPE_CHECKING:
    from .train import Run


def save_step(run: Run) -> None:
    every = run.args.save_every_n_steps
    if every is not None and run.step % every == 0:
        name = step_name(run.args, run.step)
        save_weights(run, name, run.epoch - 1)
        if run.args.save_state:
            console.info("", "train_util.py:5963")
            console.info(f"saving state at step {run.step}", "train_util.py:5964")
            save_folder(run, name)


def save_epoch(run: Run) -> None:
    """Saves at the end of an epoch, but never of the last one (train_network.py:1694)."""
    args = run.args
    every = args.save_every_n_epochs
    if every is None or run.epoch % every != 0 or run.epoch >= run.plan.epochs:
        return
    name = epoch_name(args, run.epoch)
    save_weights(run, name, run.epoch)
    old = replaced_epoch(args, run.epoch, args.save_last_n_epochs)
    if old is not None:
        remove_checkpoint(Path(args.output_dir) / f"{epoch_name(args, old)}.safetensors")
    if args.save_state:
        console.info("", "train_util.py:5941")
        console.info(f"saving state at epoch {run.epoch}", "train_util.py:5942")
        save_folder(run, name)
        remove_old_state(run)


def remove_old_state(run: Run) -> None:
    args = run.args
    keep = args.save_last_n_epochs_state if args.save_last_n_epochs_state is not None else args.save_last_n_epochs
    old = replaced_epoch(args, run.epoch, keep)
    folder = None if old is None else Path(args.output_dir) / f"{epoch_name(args, old)}-state"
    if folder is not None and folder.exists():
        console.info(f"removing old state: {folder}", "train_util.py:5956")
        shutil.rmtree(folder)


def save_end(run: Run) -> None:
    """The last state comes before the last weights (train_network.py:1719-1729)."""
    name = last_name(run.args)
    if run.args.save_state or run.args.save_state_on_train_end:
        console.info("", "train_util.py:5989")
        console.info("saving last state.", "train_util.py:5990")
        save_folder(run, name)
        if run.exact:
            run.exact.complete_last(run)
    save_weights(run, name, run.plan.epochs)
    console.info("model saved.", "train_network.py:1729")


def save_weights(run: Run, name: str, epoch: int) -> None:
    save_checkpoint(Path(run.args.output_dir) / f"{name}.safetensors", run.lora, run.metadata, run.step, epoch)


def save_folder(run: Run, name: str) -> None:
    folder = Path(run.args.output_dir) / f"{name}-state"
    save_state(folder, run.epoch, run.step, run.lora, run.optimizer, run.chance)
    if run.exact:
        run.exact.saved.append(str(folder))

"""Exact pause of the practice trainer: the same requests, lines and files as trackside.exact has for sd-scripts."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackside._attempt import contract
from trackside._exact import document, folder
from trackside._exact.asks import Asks
from trackside._exact.grace import Grace
from trackside._exact.leave import leave, leave_unsaved
from trackside._exact.tell import tell

from .dataset import Dataset
from .output_names import step_name
from .run_plan import RunPlan
from .saves import save_weights

if TYPE_CHECKING:
    from .train import Run

KEPT_METADATA = ("ss_session_id", "ss_training_started_at")


class Exact:
    """Of one process. `given` is what the state to resume from says of its place; None: it is gone on with plainly."""

    def __init__(self, args: argparse.Namespace) -> None:
        session, attempt = os.environ.get(contract.SESSION), os.environ.get(contract.MARK)
        self.args = args
        self.resumed_from: str | None = args.resume
        self.given = document.load(args.resume) if args.resume else None
        self.facts: dict[str, Any] = {}
        self.batches = 0
        self.saved: list[str] = []
        self.finishing = False
        self.grace = Grace(session, attempt)
        self.asks = Asks(lambda: leave_unsaved(args.resume))
        self.asks.listen(session, attempt)

    def compare(self, datasets: list[Dataset], plan: RunPlan) -> None:
        """Decides if the state can be gone on with exactly, and says why not."""
        self.facts = facts_of(self.args, datasets, plan)
        why = "the state has none of what that needs"
        if self.given is not None:
            why = document.why_plainly(self.given["facts"], self.facts)
        if not self.args.resume or not why:
            return
        self.given = None
        epoch = (self.args.initial_epoch or 1) - 1
        tell(f"not exactly: {why}. Goes on plainly after step {epoch * plan.steps_per_epoch}, with epoch {epoch + 1}")

    def first_epoch(self) -> int | None:
        """Counted from 0; None unless it goes on exactly."""
        return None if self.given is None else self.given["epoch"] - 1

    def begin(self, run: Run) -> None:
        """Right before the first epoch: steps count from the beginning of the training."""
        if self.given is not None:
            given = self.given
            tell(f"goes on exactly after step {given['step']}, in epoch {given['epoch']}")
            run.step, self.batches = given["step"], given["batches"]
            version, words, gauss = given["chance"]["now"]
            run.chance.setstate((version, tuple(words), gauss))
            run.losses.losses = [float.fromhex(loss) for loss in given["recorders"]["losses"]]
            run.losses.total = float.fromhex(given["recorders"]["total"])
            run.metadata.update(given["metadata"])
        elif self.args.resume:
            run.step = ((self.args.initial_epoch or 1) - 1) * run.plan.steps_per_epoch
        run.bar.done = run.step
        folder.clear(self.args.output_dir, self.args.output_name or "at")
        self.asks.loading = False
        tell("exact pause available")
        self.grace.say()

    def between(self, run: Run, epoch: int) -> None:
        """Between two steps, and before an epoch (counted from 1): everything is whole."""
        self.complete_saved(run, epoch)
        while self.asks.open:
            ask = self.asks.open[0]
            try:
                {"pause": self.pause, "save": self.save, "sample": self.sample, "finish": self.finish}[ask.verb](
                    run, epoch
                )
            except Exception as error:
                words = getattr(error, "strerror", None) or str(error)
                self.asks.could_not(ask, run.step, words)
            self.asks.open.popleft()

    def complete_saved(self, run: Run, epoch: int) -> None:
        for path in self.saved:
            self.complete(run, epoch, path)
        self.saved = []

    def complete_last(self, run: Run) -> None:
        """The state of the end: with more epochs a training goes on from it."""
        begun = self.finishing and self.batches < run.plan.batches_per_epoch
        if not begun:
            self.batches = 0
        self.complete_saved(run, run.epoch if begun else run.epoch + 1)

    def pause(self, run: Run, epoch: int) -> None:
        path, size, seconds = self.save_state(run, epoch, "pause")
        tell(f"paused at step {run.step}: {path} ({size / 1e6:.1f} MB in {seconds:.2f} s)")
        leave()

    def save(self, run: Run, epoch: int) -> None:
        path, size, seconds = self.save_state(run, epoch, "save")
        save_weights(run, step_name(run.args, run.step), epoch - 1)
        tell(f"saved at step {run.step}: {path} ({size / 1e6:.1f} MB in {seconds:.2f} s)")

    def sample(self, run: Run, epoch: int) -> None:
        from .samples import draw_samples

        if self.asks.uncut(lambda: draw_samples(run.args, run.step, None, run.lora, bars=1)):
            tell(f"sampled at step {run.step}")

    def finish(self, run: Run, epoch: int) -> None:
        self.finishing = True
        tell(f"finishing at step {run.step}")

    def save_state(self, run: Run, epoch: int, why: str) -> tuple[str, int, float]:
        from .state_folder import save_state

        began = time.monotonic()
        path = str(Path(run.args.output_dir) / f"{step_name(run.args, run.step)}-state")
        told = {**self.document(run, epoch), "made_for": why}

        def save(making: str) -> None:
            save_state(Path(making), epoch, run.step, run.lora, run.optimizer, run.chance)

        size = folder.make(path, save, lambda: told)
        seconds = time.monotonic() - began
        self.grace.saved(seconds)
        self.remove_superseded(path)
        return path, size, seconds

    def complete(self, run: Run, epoch: int, path: str) -> None:
        """Makes a state exact that the trainer saved by itself."""
        try:
            if os.path.isdir(path):
                folder.write(path, self.document(run, epoch))
                self.remove_superseded(path)
        except OSError as error:
            tell(f"{os.path.basename(path)} can only be gone on with plainly: {error.strerror}")

    def remove_superseded(self, path: str) -> None:
        if folder.remove_superseded(self.resumed_from, self.given, path):
            self.resumed_from = None

    def document(self, run: Run, epoch: int) -> document.Document:
        return {
            "format": document.FORMAT,
            "step": run.step,
            "epoch": epoch,
            "batches": self.batches,
            "of": run.plan.batches_per_epoch,
            "updates_per_epoch": run.plan.steps_per_epoch,
            "facts": self.facts,
            "chance": {"now": run.chance.getstate()},
            "datasets": [],
            "recorders": {
                "losses": [loss.hex() for loss in run.losses.losses],
                "total": float(run.losses.total).hex(),
            },
            "metadata": {name: run.metadata[name] for name in KEPT_METADATA},
        }


def facts_of(args: argparse.Namespace, datasets: list[Dataset], plan: RunPlan) -> dict[str, Any]:
    pictures = [
        (picture.path.name, picture.caption, picture.repeats) for dataset in datasets for picture in dataset.pictures()
    ]
    return {
        "seed": args.seed,
        "seeds": [args.seed],
        "batch_sizes": [dataset.config.batch_size for dataset in datasets],
        "pictures": hashlib.sha256(repr(pictures).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "batches": plan.batches_per_epoch,
        "accumulation": args.gradient_accumulation_steps,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }

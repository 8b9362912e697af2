"""A callback for the Trainer of transformers."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from transformers import TrainerCallback

from trackside._track.run import Run
from trackside._track.track import track
from trackside._track.warn import warn_once

# Logged once, at the end: results, and no curves.
_RESULTS = {"train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos", "train_loss"}
_INCOMPLETE = "checkpoint-is-incomplete.txt"
_PROGRESS_SECONDS = 1.0


class TransformersCallback(TrainerCallback):  # type: ignore[misc]
    """Makes a Trainer's training a session.

    >>> callback = trackside.TransformersCallback("my-model")
    >>> trainer = Trainer(…, callbacks=[callback])
    >>> trainer.train(resume_from_checkpoint=callback.resume_from)

    The Trainer's checkpoints become states (hard links, where the disk can): Resume on the page starts the script again,
    which goes on from `resume_from`. Stop saves a checkpoint, and ends the training after the step. `options` are those of
    `trackside.track`, whose errors the first use raises. Steps are the Trainer's own, from 1.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self._name, self._options = name, options
        self._run: Run | None = None
        self._told_at = 0.0

    @property
    def run(self) -> Run:
        """The run, which begins when it is first asked for, or with the training."""
        if self._run is None:
            self._run = track(self._name, **self._options)
            self._run._counts_from_1 = True
        return self._run

    @property
    def resume_from(self) -> str | None:
        """For `trainer.train(resume_from_checkpoint=…)`; None at the beginning."""
        return self.run.resume_from

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self.run.config:
            self.run._record_config(args.to_dict())
        self.run.log(step=state.global_step, total=state.max_steps, epochs=_whole(args.num_train_epochs))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        now = time.monotonic()
        if now - self._told_at >= _PROGRESS_SECONDS or not self.run.writes:
            self._told_at = now
            self.run.log(step=state.global_step, total=state.max_steps, epoch=state.epoch)
        if self.run.stop_requested:
            control.should_save = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        values = dict(logs or {})
        for name in _RESULTS & values.keys():
            self.run.summary[name] = values.pop(name)
        values.pop("epoch", None)
        if values:
            self.run.log(values, step=state.global_step, total=state.max_steps, epoch=state.epoch)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self.run.writes:
            return
        checkpoint = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        if not os.path.isdir(checkpoint) or os.path.exists(os.path.join(checkpoint, _INCOMPLETE)):
            return
        try:
            with self.run.saving_state(state.global_step) as folder:
                shutil.copytree(checkpoint, folder, copy_function=_link, dirs_exist_ok=True)
        except Exception as error:
            warn_once(f"the checkpoint of step {state.global_step} was not kept as a state", error)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.run.finish()


def _link(source: str, target: str) -> str:
    """A second name: the Trainer deletes its own checkpoints (save_total_limit), and writes no file twice."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _whole(epochs: float) -> int | None:
    return int(epochs) if epochs and epochs > 0 else None

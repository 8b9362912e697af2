"""`trackside.track` and the run that it returns."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from trackside._track import images
from trackside._track.checkpoints import Checkpoints
from trackside._track.numbers import json_number
from trackside._track.prompts import Prompts
from trackside._track.saving import Saving
from trackside._track.summary import Best, Summary
from trackside._track.warn import warn_once
from trackside._track.writer import Writer

_INFINITY = float("inf")
_SAVE_SECONDS = 600.0
_LEVELS = ("info", "warn", "error")


class Run:
    """A training while it runs: `trackside.track` makes one. Use it in a `with` block, or call `finish` at its end.

    No method raises because of Trackside: on a full disk, in a read-only folder, with values of a wrong type it says so
    once on standard error, and the training goes on. On ranks other than 0, in forked children and in DataLoader workers
    all methods do nothing.
    """

    name: str
    """As given to `track`."""
    folder: str | None
    """The session's folder, absolute; None if it cannot be written."""
    config: dict[str, Any]
    """The settings as given."""
    resume_from: str | None
    """The state folder to load, absolute; None at the beginning of a training."""
    first_step: int
    """The step to begin with: 0, or the one behind that of `resume_from`."""
    summary: Summary
    """Results to keep: `run.summary["fid"] = 12.3`. Written to summary.json at the end, with `best`."""
    best: dict[str, Best]
    """The least and greatest value of each metric, with their steps: `run.best["loss"].least`."""

    def __init__(
        self,
        writer: Writer,
        *,
        config: dict[str, Any],
        total: int | None,
        save_every: int | None,
        sample_every: int | None,
        keep: int | None,
    ) -> None:
        self._writer = writer
        # Frameworks count the steps that were trained: their last one is the total itself.
        self._counts_from_1 = False
        self.name, self.folder, self.config = writer.name, writer.folder, config
        resumed = writer.resumed
        self.resume_from = resumed.path if resumed else None
        self.first_step = resumed.step + 1 if resumed else 0
        self.best = {}
        self.summary = Summary()
        self._step: int | None = resumed.step if resumed else None
        self._total = None if total is None else int(total)
        self._epochs: int | None = None
        self._epoch: float | None = None
        self._keys: dict[str, str] = {}
        self._save_every, self._sample_every = save_every, sample_every
        self._saved_at = time.monotonic()
        self._asked_to_save_at: int | None = None
        self._offered = False
        self._saving = Saving(writer, keep)
        self._checkpoints = Checkpoints(writer)
        self._prompts = Prompts(writer.folder or "")
        writer.begin(self, self.first_step, total)

    @property
    def writes(self) -> bool:
        """Is this the process that records: rank 0, not forked, not ended, with a folder that can be written?"""
        return self._writer.writes

    @property
    def step(self) -> int | None:
        """The last logged step; None before the first one."""
        return self._step

    def log(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        step: int | None = None,
        total: int | None = None,
        epoch: float | None = None,
        epochs: int | None = None,
        **metrics: Any,
    ) -> None:
        """Writes numbers of one step: they become charts, progress and the time that is left. One line, one write.

        `values` and the keywords are numbers: floats, integers, numpy scalars, tensors with one element; NaN and infinity
        as well. A mapping in them counts with its names joined by "/". `step` is the step just trained, of the whole
        training; by default the one after the last. A step at or below an earlier one takes its place: after a resume
        nothing is there twice. `total` steps and `epochs` need saying once.

        >>> run.log(step=step, total=1000, loss=loss, lr=lr)
        """
        writer = self._writer
        if writer.ended:
            warn_once(f"{self.name} has ended: what is logged after that is not recorded")
            return
        try:
            if values is not None:
                metrics = {**values, **metrics}
                if not metrics.keys().isdisjoint(("step", "total", "epoch", "epochs")):
                    step, epoch = metrics.pop("step", step), metrics.pop("epoch", epoch)
                    total, epochs = metrics.pop("total", total), metrics.pop("epochs", epochs)
            if step is None:
                step = self.first_step if self._step is None else self._step + 1
            elif type(step) is not int:
                step = int(step)
            self._step = step
            text = f'{{"step":{step},"time":{time.time():.3f}'
            if total is not None or epoch is not None or epochs is not None:
                text += self._plan(total, epoch, epochs)
            # The other ranks know step and total as well: all of them save, and stop, at the same step.
            if not writer.writes:
                return
            keys, best = self._keys, self.best
            for name, value in metrics.items():
                if type(value) is float and -_INFINITY < value < _INFINITY:
                    number = repr(value)
                else:
                    number, value = self._number(name, value)
                    if not number:
                        continue
                text += (keys.get(name) or self._key(name)) + number
                known = best.get(name)
                if value != value:
                    if known is not None:
                        known.last = value
                elif known is None:
                    best[name] = Best(value, step, value, step, value)
                else:
                    known.last = value
                    if value < known.least:
                        known.least, known.least_step = value, step
                    elif value > known.greatest:
                        known.greatest, known.greatest_step = value, step
            writer.line(f"{text}}}\n".encode())
        except Exception as error:
            warn_once("a log could not be written", error)

    def should_save(self, step: int) -> bool:
        """Is a state due after `step`? Every `save_every` steps (by default every ten minutes), after the last step, and
        before a stop."""
        self._asked_to_save_at = step
        if self._is_told_to_stop(step):
            self._offered = True
            return True
        if self._total is not None and step + self._ahead >= self._total:
            return True
        if self._save_every is not None:
            return self._save_every > 0 and (step + self._ahead) % self._save_every == 0
        return self._writer.writes and time.monotonic() - self._saved_at >= _SAVE_SECONDS

    @contextmanager
    def saving_state(self, step: int | None = None) -> Iterator[str]:
        """Saves what `resume_from` will be: write all of it into the folder that this gives.

        The folder is hidden until all of it is on the disk, with a manifest of sizes and hashes: a crash leaves no state
        that looks whole. If your code raises, nothing is kept, and the exception goes on; unless the disk is what failed:
        then the state is given up, and the training continues. `step` is the last step that is in it. On ranks that write
        nothing the folder is a temporary one.

        >>> with run.saving_state(step) as folder:
        ...     torch.save(model.state_dict(), f"{folder}/model.pt")
        """
        at = self._step if step is None else int(step)
        with self._saving.state(max(0, at or 0), self._epoch) as folder:
            yield folder
        self._saved_at = time.monotonic()

    def checkpoint(self, path: str | os.PathLike[str], step: int | None = None) -> None:
        """Offers a weights file on the page. One that lies elsewhere gets a second name in the session's folder: a hard
        link, or a copy on another disk. Never raises; a missing file is said once."""
        try:
            self._checkpoints.add(os.fspath(path), self._step if step is None else int(step), self._epoch)
        except Exception as error:
            warn_once(f"the checkpoint {path} could not be offered on the page", error)

    def should_sample(self, step: int) -> bool:
        """Is a sample due after `step`? Every `sample_every` steps; never without it."""
        return bool(self._sample_every) and (step + self._ahead) % int(self._sample_every or 1) == 0

    def sample(self, image: Any, prompt: str = "", step: int | None = None) -> None:
        """Shows a picture on the page. `image` is a path, a Pillow image, or an array or tensor of height × width × 3 (or
        channels first): whole numbers from 0 to 255, or fractions from 0 (or -1) to 1. Never raises."""
        writer = self._writer
        if not writer.writes or writer.folder is None:
            return
        try:
            at = (self._step or 0) if step is None else int(step)
            writer.event("sampling", step=at)
            number = self._prompts.number(prompt)
            path = images.save(image, os.path.join(writer.folder, "sample"), f"{at:08d}_{number:02d}")
            writer.event("sample", step=at, file=os.path.basename(path), prompt=prompt)
        except Exception as error:
            warn_once("a sample could not be saved", error)

    @property
    def stop_requested(self) -> bool:
        """Has somebody asked for a stop: the page, or SIGTERM? Leave the loop then: the attempt reads as stopped, and
        can be resumed. With `should_save` in the loop it becomes true after the state was offered to be saved. All ranks
        see it at the same step, if all of them log their steps."""
        if not self._is_told_to_stop(self._step):
            return False
        return self._offered or self._asked_to_save_at is None or self._asked_to_save_at != self._step

    def alert(self, title: str, text: str = "", level: str = "info") -> None:
        """Says something to whoever watches: `level` is "info", "warn" or "error". It is printed, and kept with the
        metrics. Never raises."""
        if not self._writer.writes:
            return
        try:
            shown = level if level in _LEVELS else "info"
            self._writer.event("alert", title=str(title), text=str(text), level=shown, step=self._step)
            self._writer.say(f"trackside: {shown}: {title}{': ' if text else ''}{text}")
        except Exception as error:
            warn_once("an alert could not be told", error)

    def finish(self, error: BaseException | None = None) -> None:
        """Ends the run: finished, stopped if a stop was asked for, or failed with `error`. A second call does nothing.
        A `with` block and the end of the program call it by themselves. Without the block an exit code of `sys.exit` is
        not seen: such a run reads as finished."""
        self._writer.finish(error)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(error)

    @property
    def is_complete(self) -> bool:
        """Was the last step of `total` logged?"""
        return self._total is not None and self._step is not None and self._step + self._ahead >= self._total

    @property
    def _ahead(self) -> int:
        return 0 if self._counts_from_1 else 1

    def _record_config(self, config: Mapping[str, Any]) -> None:
        """Settings that a framework tells after the beginning. Never raises."""
        self.config = {**self.config, **config}
        self._writer.record_config(self.config)

    def _is_told_to_stop(self, step: int | None) -> bool:
        return self._writer.is_told_to_stop(step)

    def _plan(self, total: int | None, epoch: float | None, epochs: int | None) -> str:
        """The parts of a line that change seldom, where they changed."""
        text = ""
        if total is not None and total != self._total:
            self._total = int(total)
            text += f',"total":{self._total}'
        if epoch is not None and epoch != self._epoch:
            self._epoch = epoch
            text += f',"epoch":{json_number(epoch)}'
        if epochs is not None and epochs != self._epochs:
            self._epochs = int(epochs)
            text += f',"epochs":{self._epochs}'
        return text

    def _number(self, name: str, value: Any) -> tuple[str, float]:
        """A value as JSON, and as a float; no JSON for what is no number. A mapping is written in a line of its own."""
        try:
            if isinstance(value, Mapping):
                self.log({f"{name}/{part}": each for part, each in value.items()}, step=self._step)
                return "", 0.0
            number = json_number(value)
            return number or "", float(number.strip('"')) if number else 0.0
        except Exception as error:
            warn_once(f"{name!r} is left out of the metrics", error)
            return "", 0.0

    def _key(self, name: str) -> str:
        self._keys[name] = key = self._writer.key(name)
        return key

"""Where a training stands in its data, how that is written down, and how another process goes on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from trackside._exact import chance, document, frames
from trackside._exact.needs import RECORDERS
from trackside._exact.tell import tell

if TYPE_CHECKING:
    from trackside._exact.training import Training

KEPT_METADATA = ("ss_session_id", "ss_training_started_at")


class Again:
    """The rest of an epoch that another process began."""

    def __init__(self, given: document.Document, workers: int) -> None:
        self.given = given
        self.batches: int = given["batches"]
        self.skips_all: bool = self.batches >= given["of"]
        # Each batch has to reach its own worker again, so a multiple of their number is passed over.
        self.dropped = self.batches % workers if workers and not self.skips_all else 0


class Position:
    """`batches` of the present epoch are trained."""

    def __init__(self) -> None:
        self.batches = 0
        self.epoch = 0
        self.again: Again | None = None
        self.first_loaded = 0
        self.entry: dict[str, Any] | None = None
        self.offset = 0
        # A loader with persistent workers begins anew in a new process, and draws a seed that the old one did not draw.
        self.renewed = False
        self._now: dict[str, Any] | None = None

    def begin(self, training: Training) -> None:
        """The recorder counts the batches of a resumed epoch from 0 (sd-scripts train_network.py:1415)."""
        (recorder,) = training.read("loss_recorder")
        add = recorder.add

        def added(*, epoch: int, step: int, loss: float) -> None:
            add(epoch=epoch, step=step + self.offset, loss=loss)

        recorder.add = added

    def enter(self, training: Training) -> None:
        """At the entry of an epoch, before anything is loaded."""
        (self.epoch,) = training.read("epoch")
        loads, again = training.loads, self.again
        self.again = None
        self.batches = self.offset = again.batches if again else 0
        self.first_loaded = self.batches - (again.dropped if again else 0)
        loads.begin_epoch(self.epoch)
        if again:
            self._restore(training, again)

    def leave(self, training: Training) -> None:
        """Behind the last step: where the epoch is whole, the next one would be entered."""
        if self.batches >= len(training.loader):
            self.epoch += 1
            self.batches = self.offset = 0
            training.loads.begin_epoch(self.epoch)

    def note_entry(self, training: Training) -> None:
        self.entry = chance.capture()
        training.loads.order = None
        training.loads.before = None

    def open_loader(self, training: Training) -> None:
        """Right before an epoch's batches are loaded."""
        if self.renewed and training.loads.order_again is None:
            training.loads.order_again = torch.get_rng_state()
        self.renewed = False

    def ready(self, training: Training) -> None:
        """Before a batch is trained: with workers, whatever loading drew is put back once."""
        if self._now is not None:
            now, self._now = self._now, None
            training.loads.current_step.value = now["current_step"]
            chance.restore(now["chance"])

    def _restore(self, training: Training, again: Again) -> None:
        given, loads = again.given, training.loads
        training.loader.iteration = self.epoch
        training.accelerator.step = given["accelerator_step"]
        now = {"chance": given["chance"]["now"], "current_step": given["current_step"]}
        loads.older = {} if again.skips_all and not loads.persistent else dict(given["chance"]["workers"])
        loads.of_workers = {int(worker): state for worker, state in loads.older.items()}
        self.entry = given["chance"]["entry"]
        load = given["chance"]["load"]
        loads.go_to(given["datasets"] if load is None else load["datasets"])
        self.renewed = loads.persistent and (again.skips_all or again.batches == 0)
        if again.skips_all or again.batches == 0:
            loads.current_step.value = now["current_step"]
            chance.restore(now["chance"])
            self.entry = now["chance"]
            training.loader.iteration += again.skips_all
            return
        chance.restore(given["chance"]["entry"])
        loads.order_again, loads.skip = chance.decode_torch(given["chance"]["order"]), self.first_loaded
        if loads.workers:
            self._now = now
        else:
            loads.first = (load, now)

    def document(self, training: Training) -> document.Document:
        """Raises nothing but for want of memory."""
        loads, loader = training.loads, training.loader
        names = ("args", "global_step", "num_update_steps_per_epoch", "metadata")
        args, step, updates, metadata = training.read(*names)
        whole, part = len(loader), self.batches
        loading = 0 < part < whole
        workers = loads.workers
        before = whole if not loading and part else part - (part % workers if workers else 0)
        return {
            "format": document.FORMAT,
            "step": int(step),
            "epoch": self.epoch + 1,
            "batches": part,
            "of": whole,
            "updates_per_epoch": int(updates),
            "facts": document.facts(loader, loads.parts, training.accelerator, args),
            "chance": {
                "now": chance.capture(),
                "entry": self.entry,
                "order": chance.encode_torch(loads.order) if loading and loads.order is not None else None,
                "load": loads.loaded() if loading and not workers else None,
                "workers": loads.workers_before(before) if workers else {},
            },
            "datasets": loads.at(),
            "current_step": int(loads.current_step.value),
            "accelerator_step": int(training.accelerator.step),
            "recorders": {name: _losses(training, name) for name in RECORDERS},
            "metadata": {name: metadata[name] for name in KEPT_METADATA if name in metadata},
        }


def _losses(training: Training, name: str) -> dict[str, Any]:
    (recorder,) = training.read(name)
    return {"losses": chance.pack_floats(recorder.loss_list), "total": chance.pack_floats([recorder.loss_total])}


def go_on(training: Training) -> None:
    """At the first epoch of a process: steps count from the beginning of the training, and a state with a document is gone
    on with exactly, if nothing that it depends on has changed."""
    given = training.given
    accelerator, args, epoch, updates = training.read("accelerator", "args", "epoch", "num_update_steps_per_epoch")
    if not args.resume:
        return
    why = "the state has none of what that needs"
    if given is not None:
        now = document.facts(training.loader, training.loads.parts, accelerator, args)
        why = document.why_plainly(given["facts"], now)
    if given is None or why:
        tell(f"not exactly: {why}. Goes on plainly after step {epoch * updates}, with epoch {epoch + 1}")
        count_from(training, epoch * updates)
        return
    tell(f"goes on exactly after step {given['step']}, in epoch {given['epoch']}")
    count_from(training, given["step"])
    for name, kept in given["recorders"].items():
        (recorder,) = training.read(name)
        recorder.loss_list[:] = chance.unpack_floats(kept["losses"])
        (recorder.loss_total,) = chance.unpack_floats(kept["total"])
    (metadata,) = training.read("metadata")
    metadata.update(given["metadata"])
    training.position.again = Again(given, training.loads.workers)


def count_from(training: Training, step: int) -> None:
    assert training.frame is not None
    frames.write(training.frame, "global_step", step)
    (bar,) = training.read("progress_bar")
    bar.n = bar.initial = bar.last_print_n = step
    bar.refresh()

"""The watched training: what is hooked into sd-scripts, and what happens between two steps.

The place to pause is where the training loader's `yield` returns: there the step is whole, with its weight norms, samples,
save, recorder, TensorBoard point and validation (sd-scripts train_network.py:1462-1606).
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from trackside._exact import chance, document, folder, frames, needs
from trackside._exact.asks import Asks, held_back
from trackside._exact.grace import Grace
from trackside._exact.loads import Loads, hook_loads
from trackside._exact.position import Position, go_on
from trackside._exact.tell import tell
from trackside._exact.verbs import Verbs, output_name


class Training:
    """`given` is the document of the state that `resumed_from` names, None for a plain start or resume."""

    def __init__(self, asks: Asks, grace: Grace, resumed_from: str | None, given: document.Document | None) -> None:
        self.asks, self.grace, self.resumed_from, self.given = asks, grace, resumed_from, given
        self.loads = Loads()
        self.frame: FrameType | None = None
        self.loader: Any = None
        self.available: bool | None = None
        # State folders that sd-scripts has just saved, to be completed once their step is whole.
        self.saved: list[str] = []
        self.position = Position()
        self.finishing = False
        # Its last step is trained.
        self.over = False
        self.verbs = Verbs(self)

    def hook(self) -> None:
        """Only after `needs.before_script` found every name."""
        import accelerate
        import numpy
        from accelerate.data_loader import DataLoaderShard

        iterate, save_state = DataLoaderShard.__iter__, accelerate.Accelerator.save_state
        savez = numpy.savez
        training = self

        def watched(loader: Any) -> Iterator[Any]:
            return training.epoch(loader, sys._getframe(1), iterate)

        def saved(accelerator: Any, output_dir: Any = None, *rest: Any, **named: Any) -> Any:
            result = save_state(accelerator, output_dir, *rest, **named)
            if output_dir is not None and training.available and not training.verbs.saving:
                training.saved.append(str(output_dir))
                if training.over or training.finishing:
                    training.complete_last()
            return result

        def cached(*given: Any, **named: Any) -> Any:
            with training.asks.cache_is_written():
                return savez(*given, **named)

        DataLoaderShard.__iter__ = watched
        accelerate.Accelerator.save_state = saved
        numpy.savez = cached
        hook_loads(self.loads)
        try:
            import rich.style
        except ImportError:
            return
        # Each log record draws from Python's generator, and more from a cold cache: captions would differ after a resume.
        rich.style.randint = random.Random(0).randint

    def epoch(self, loader: Any, frame: FrameType, iterate: Any) -> Iterator[Any]:
        """The batches of an epoch. In place of `DataLoaderShard.__iter__`; other loaders than the training's are let through."""
        if self.available is False or not self._is_ours(loader, frame):
            return iterate(loader)  # type: ignore[no-any-return]
        if self.available is None:
            self._begin(loader, frame)
        return self._epoch(loader, iterate) if self.available else iterate(loader)

    def _is_ours(self, loader: Any, frame: FrameType) -> bool:
        if self.loader is not None:
            return loader is self.loader
        if frames.missing(frame, ("train_dataloader",)):
            # A script with a loop of its own. Its validation, too: so it is told once.
            self._unavailable("the script has a training loop of its own")
            return False
        return frames.read(frame, "train_dataloader")[0] is loader

    def _unavailable(self, why: str) -> None:
        self.available = False
        self.asks.stop_listening()
        tell(f"exact pause not available: {why}")

    def _begin(self, loader: Any, frame: FrameType) -> None:
        why = needs.at_first_epoch(frame, loader)
        if why:
            self._unavailable(why)
            return
        self.frame, self.loader, self.available = frame, loader, True
        names = ("self", "accelerator", "args", "network", "current_step")
        trainer, accelerator, args, network, current_step = frames.read(frame, *names)
        self.grace.expect(network.parameters())
        folder.clear(args.output_dir, output_name(args))
        self.trainer, self.accelerator = trainer, accelerator
        self.loads.watch(loader, current_step)
        self._cut_samples()
        self.position.begin(self)
        go_on(self)
        self.asks.loading = False
        tell("exact pause available")

    def _cut_samples(self) -> None:
        """A pause does not wait for pictures: the drawing of them draws no random number that counts."""
        self.draw = self.trainer.sample_images
        training = self

        def drawn(*given: Any, **named: Any) -> Any:
            if not _may_draw(*given):
                return training.draw(*given, **named)
            before = chance.capture()
            if not training.asks.uncut(lambda: training.draw(*given, **named)):
                chance.restore(before)
            return None

        self.trainer.sample_images = drawn

    def _epoch(self, loader: Any, iterate: Any) -> Iterator[Any]:
        if self.finishing:
            return
        position, again = self.position, self.position.again
        position.enter(self)
        if again is None:
            self._between()
            position.note_entry(self)
        if self.finishing or (again is not None and again.skips_all):
            return
        position.open_loader(self)
        batches = iterate(loader)
        with held_back():
            batch = next(batches, None)
        self.loads.of_workers = {}
        for number in itertools.count(position.first_loaded):
            if batch is None:
                break
            self.loads.taken(number, batch)
            # The first ones again, for their workers' sake.
            if number >= position.batches:
                position.ready(self)
                yield from self._step(batch)
                if self.finishing:
                    batches.close()
                    break
            batch = next(batches, None)
        position.offset = 0

    def _step(self, batch: Any) -> Iterator[Any]:
        began = time.monotonic()
        try:
            yield batch
        except GeneratorExit:  # the script leaves its loop within the last step (sd-scripts train_network.py:1605)
            self.position.batches += 1
            self.over = True
            raise
        self.position.batches += 1
        self.grace.step(time.monotonic() - began)
        if self.accelerator.sync_gradients and (self.asks.open or self.saved):
            self._between()

    def _between(self) -> None:
        """Between two steps, or before an epoch: everything is whole."""
        self._complete()
        while self.asks.open:
            self.verbs.do(self.asks.open[0])
            self.asks.open.popleft()

    def complete_last(self) -> None:
        """After the last step, a state is made exact as it is saved: with more epochs a training goes on from it."""
        self.position.leave(self)
        self._complete()

    def _complete(self) -> None:
        for path in self.saved:
            self.verbs.complete(path)
        self.saved = []

    def read(self, *names: str) -> list[Any]:
        """Local variables of the script's `train()`."""
        assert self.frame is not None
        return frames.read(self.frame, *names)

    def write_document(self, path: str) -> None:
        folder.write(path, self.position.document(self))


def _may_draw(accelerator: Any = None, args: Any = None, epoch: Any = 0, step: Any = 0, *rest: Any) -> bool:
    """Is it perhaps time for samples? It is asked after every step (sd-scripts train_util.py:6409)."""
    if args is None or step == 0:
        return True
    if args.sample_every_n_epochs is not None:
        return epoch is not None
    return args.sample_every_n_steps is not None and epoch is None and step % args.sample_every_n_steps == 0

"""What is random about loading batches: the order of an epoch, and each load, in this process or in a worker.

A loader loads ahead: by one batch in this process (accelerate data_loader.py:564), by two a worker with workers. So the
states that belong to a batch are not those of the step that trains it, and are kept beside it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import get_worker_info
from torch.utils.data._utils.fetch import _MapDatasetFetcher

from trackside._exact import chance
from trackside._exact.needs import datasets

KEY = "trackside_exact"


class Loads:
    """One for a process; workers inherit it as they are forked. `dataset` is the one of the watched loader."""

    def __init__(self) -> None:
        self.dataset: Any = None
        self.workers = 0
        self.persistent = False
        self.parts: list[Any] = []
        self.current_step: Any = None
        # torch's state as the present epoch's order was made.
        self.order: Any = None
        # Without workers: what was there before the last load.
        self.before: tuple[Any, list[list[int]], int] | None = None
        # With workers: batches that came, with what each worker's process was like after its load.
        self.came: deque[tuple[int, int, bytes]] = deque()
        self.older: dict[str, Any] = {}
        self.epoch = 0
        # To go on with: once each.
        self.order_again: Any = None
        self.skip = 0
        self.first: tuple[dict[str, Any], dict[str, Any]] | None = None
        self.of_workers: dict[int, dict[str, Any]] = {}

    def watch(self, loader: Any, current_step: Any) -> None:
        self.dataset, self.parts, self.current_step = loader.dataset, datasets(loader), current_step
        self.workers, self.persistent = loader.num_workers, bool(loader.persistent_workers)
        _watch_order(loader.base_dataloader.batch_sampler, self)

    def at(self) -> list[list[int]]:
        """Epoch and step of each dataset."""
        return [[part.current_epoch, part.current_step] for part in self.parts]

    def go_to(self, places: list[list[int]]) -> None:
        """Draws random numbers: states are set afterwards."""
        for part, (epoch, step) in zip(self.parts, places):
            part.set_current_epoch(epoch)
            part.current_step = step

    def load(self, fetcher: Any, index: Any) -> Any:
        """In place of `_MapDatasetFetcher.fetch`."""
        if fetcher.dataset is not self.dataset:
            return _fetch(fetcher, index)
        worker = get_worker_info()
        return self._load_here(fetcher, index) if worker is None else self._load_in(worker.id, fetcher, index)

    def _load_here(self, fetcher: Any, index: Any) -> Any:
        first, self.first = self.first, None
        if first:
            load, now = first
            self.current_step.value = load["current_step"]
            chance.restore(load["chance"])
        self.before = (chance.raw(), self.at(), self.current_step.value)
        batch = _fetch(fetcher, index)
        if first:
            self.current_step.value = now["current_step"]
            chance.restore(now["chance"])
        return batch

    def _load_in(self, worker: int, fetcher: Any, index: Any) -> Any:
        again = self.of_workers.pop(worker, None)
        if again:
            self.go_to(again["datasets"])
            chance.restore(again["chance"])
        batch = _fetch(fetcher, index)
        if isinstance(batch, dict):
            batch[KEY] = json.dumps({"chance": chance.encode(chance.raw()), "datasets": self.at()}).encode()
        return batch

    def begin_epoch(self, epoch: int) -> None:
        """Workers that are not persistent begin anew, from a seed that torch draws."""
        self.epoch = epoch
        if not self.persistent:
            self.came.clear()
            self.older = {}

    def taken(self, number: int, batch: Any) -> None:
        """A batch is about to be trained: what its worker added is taken out of it."""
        told = batch.pop(KEY, None) if isinstance(batch, dict) else None
        if told is None:
            return
        self.came.append((self.epoch, number, told))
        if len(self.came) > 2 * self.workers:
            _, old, told = self.came.popleft()
            self.older[str(old % self.workers)] = json.loads(told)

    def loaded(self) -> dict[str, Any] | None:
        """What was there before the load of the batch that is loaded but not trained (without workers)."""
        if self.before is None:
            return None
        states, places, step = self.before
        return {"chance": chance.encode(states), "datasets": places, "current_step": step}

    def workers_before(self, batches: int) -> dict[str, Any]:
        """Each worker after its last load before batch `batches` of this epoch, by its number; batches count from 0."""
        found = dict(self.older)
        for epoch, number, told in self.came:
            if epoch < self.epoch or number < batches:
                found[str(number % self.workers)] = json.loads(told)
        return found


_fetch = _MapDatasetFetcher.fetch


def hook_loads(loads: Loads) -> None:
    _MapDatasetFetcher.fetch = lambda fetcher, index: loads.load(fetcher, index)


def _watch_order(sampler: Any, loads: Loads) -> None:
    """Notes torch's state as the order is made, and passes over batches that were trained, without loading them."""
    kind = type(sampler)

    def batches(self: Any) -> Iterator[Any]:
        again, loads.order_again = loads.order_again, None
        if again is not None:
            torch.set_rng_state(again)
        loads.order = torch.get_rng_state()
        skip, loads.skip = loads.skip, 0
        for number, batch in enumerate(kind.__iter__(self)):
            if number >= skip:
                yield batch

    sampler.__class__ = type(kind.__name__, (kind,), {"__iter__": batches})

"""Loading as torch does it: a seed for the order as it begins, workers that load two batches ahead each."""

import itertools
import multiprocessing
import os
import queue
import random

import numpy

import torch
from torch.utils.data._utils.fetch import _MapDatasetFetcher

_worker = None
PREFETCH = 2


class WorkerInfo:
    def __init__(self, id, dataset):
        self.id, self.dataset = id, dataset


def get_worker_info():
    return _worker


class BatchSampler:
    """Batches of one, in a random order (RandomSampler within)."""

    def __init__(self, length):
        self.length = length

    def __iter__(self):
        order = list(range(self.length))
        random.Random(torch.draw_seed()).shuffle(order)
        for index in order:
            yield [index]


class DataLoader:
    def __init__(self, dataset, collate_fn, num_workers=0, persistent_workers=False):
        self.dataset, self.collate_fn = dataset, collate_fn
        self.num_workers, self.persistent_workers = num_workers, persistent_workers
        self.multiprocessing_context = multiprocessing.get_context("fork")
        self.batch_sampler = BatchSampler(len(dataset))
        self._iterator = None

    def __len__(self):
        return self.batch_sampler.length

    def __iter__(self):
        if self.num_workers == 0:
            return _here(self)
        if self.persistent_workers and self._iterator is not None:
            self._iterator.reset()
            return self._iterator
        self._iterator = _Workers(self)
        return self._iterator


def _here(loader):
    batches = iter(loader.batch_sampler)
    torch.draw_seed()
    fetcher = _MapDatasetFetcher(loader.dataset, loader.collate_fn)
    for index in batches:
        yield fetcher.fetch(index)


class _Workers:
    def __init__(self, loader):
        self.loader, count = loader, loader.num_workers
        seed = torch.draw_seed()
        context = loader.multiprocessing_context
        self.asked = [context.Queue() for _ in range(count)]
        self.done = context.Queue()
        self.workers = [
            context.Process(target=_work, args=(loader, n, seed, self.asked[n], self.done)) for n in range(count)
        ]
        for worker in self.workers:
            worker.daemon = True
            worker.start()
        self.reset()

    def reset(self):
        self.batches = iter(self.loader.batch_sampler)
        self.sent = self.received = 0
        self.early = {}
        self.turns = itertools.cycle(range(len(self.workers)))
        for _ in range(PREFETCH * len(self.workers)):
            self.send()

    def send(self):
        index = next(self.batches, None)
        if index is not None:
            self.asked[next(self.turns)].put((self.sent, index))
            self.sent += 1

    def __iter__(self):
        return self

    def __next__(self):
        if self.received == self.sent:
            if not self.loader.persistent_workers:
                self.end()
            raise StopIteration
        while self.received not in self.early:
            number, batch = self.done.get(timeout=30)
            self.early[number] = batch
        batch = self.early.pop(self.received)
        self.received += 1
        self.send()
        return batch

    def end(self):
        for each, worker in zip(self.asked, self.workers):
            each.put(None)
            worker.join()


def _work(loader, number, seed, asked, done):
    global _worker
    _worker = WorkerInfo(number, loader.dataset)
    random.seed(seed + number)
    torch.manual_seed(seed + number)
    numpy.random.seed((seed + number) % 2**32)
    fetcher = _MapDatasetFetcher(loader.dataset, loader.collate_fn)
    parent = os.getppid()
    while os.getppid() == parent:  # as torch's watchdog
        try:
            task = asked.get(timeout=0.5)
        except queue.Empty:
            continue
        if task is None:
            break
        done.put((task[0], fetcher.fetch(task[1])))

class DataLoaderShard:
    """Loads one batch ahead, to know the last one (the real data_loader.py:557)."""

    use_stateful_dataloader = False

    def __init__(self, loader):
        self.base_dataloader, self.dataset = loader, loader.dataset
        self.num_workers, self.persistent_workers = loader.num_workers, loader.persistent_workers
        self.multiprocessing_context = loader.multiprocessing_context
        self.end_of_dataloader, self.iteration = False, 0

    def __len__(self):
        return len(self.base_dataloader)

    def __iter__(self):
        self.end_of_dataloader = False
        self.set_epoch(self.iteration)
        batches = iter(self.base_dataloader)
        current = next(batches)
        while True:
            try:
                following = next(batches)
            except StopIteration:
                self.end_of_dataloader = True
                yield current
                break
            yield current
            current = following
        self.iteration += 1
        self.end()

    def set_epoch(self, epoch):
        self.iteration = epoch

    def end(self):
        pass

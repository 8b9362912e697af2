"""The names of accelerate that `trackside.exact` uses."""

import contextlib
import json
import os
import pickle
import random

import numpy
import rich.style

from accelerate.data_loader import DataLoaderShard

__version__ = "0.0.stand-in"


class Device:
    type = "cpu"


class Accelerator:
    num_processes = 1
    distributed_type = "NO"
    is_main_process = True

    def __init__(self, accumulation):
        self.accumulation, self.step, self.sync_gradients = accumulation, 0, True
        self.device, self.trackers, self.hooks = Device(), [], []
        self.loader = self.state = None

    def prepare(self, loader, state):
        self.loader, self.state = DataLoaderShard(loader), state
        return self.loader

    @contextlib.contextmanager
    def accumulate(self):
        if self.loader.end_of_dataloader:
            self.step, self.sync_gradients = 0, True
        else:
            self.step += 1
            self.sync_gradients = self.step % self.accumulation == 0
        yield

    def unwrap_model(self, model):
        return model

    def save_state(self, output_dir=None):
        os.makedirs(output_dir, exist_ok=True)
        rich.style.link()
        for hook in self.hooks:
            hook(output_dir)
        for name in ("model.safetensors", "optimizer.bin", "scheduler.bin"):
            with open(os.path.join(output_dir, name), "w") as file:
                json.dump(self.state, file)
        with open(os.path.join(output_dir, "random_states_0.pkl"), "wb") as file:
            pickle.dump((random.getstate(), numpy.random.get_state()), file)

    def load_state(self, folder):
        with open(os.path.join(folder, "model.safetensors")) as file:
            self.state.update(json.load(file))

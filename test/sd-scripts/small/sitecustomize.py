"""On PYTHONPATH: every Python that starts makes sd-scripts' U-Net as narrow as the small model, the checkout untouched.

SMALL_SAVE_SECONDS makes each file of a state take that long, so that a stop can fall into the middle of a save.
SMALL_TRACE is a file that gets the loss of every batch, exactly. SMALL_TERM_AFTER sends SIGTERM to the trainer in the step of
that number, counted from the start of its process.
"""

import importlib.util
import os
import signal
import sys
import time

from widths import CHANNELS, EMBEDDING, TIME_EMBEDDING

MODULE = "library.original_unet"


class NarrowUnet:
    """Finds that one module as the others would, and sets its constants once it is executed."""

    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def execute_narrow(module):
            execute(module)
            module.BLOCK_OUT_CHANNELS = CHANNELS
            module.TIMESTEP_INPUT_DIM = EMBEDDING
            module.TIME_EMBED_DIM = TIME_EMBEDDING
            save_slowly(float(os.environ.get("SMALL_SAVE_SECONDS", "0")))
            trace(os.environ.get("SMALL_TRACE"), int(os.environ.get("SMALL_TERM_AFTER", "0")))

        spec.loader.exec_module = execute_narrow
        return spec


def save_slowly(seconds):
    import torch

    save = torch.save

    def slow(*given, **named):
        time.sleep(seconds)
        return save(*given, **named)

    torch.save = slow


def trace(path, term_after):
    from accelerate import Accelerator

    backward, steps = Accelerator.backward, 0

    def traced(accelerator, loss, **named):
        nonlocal steps
        if path:
            with open(path, "a") as file:
                file.write(f"{loss.item()!r}\n")
        steps += accelerator.sync_gradients
        if accelerator.sync_gradients and steps == term_after:
            os.kill(os.getpid(), signal.SIGTERM)
        return backward(accelerator, loss, **named)

    if path or term_after:
        Accelerator.backward = traced


sys.meta_path.insert(0, NarrowUnet())

"""On PYTHONPATH: every Python that starts makes sd-scripts' U-Net as narrow as the small model, the checkout untouched.

SMALL_SAVE_SECONDS makes each file of a state take that long, so that a stop can fall into the middle of a save.
"""

import importlib.util
import os
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

        spec.loader.exec_module = execute_narrow
        return spec


def save_slowly(seconds):
    import torch

    save = torch.save

    def slow(*given, **named):
        time.sleep(seconds)
        return save(*given, **named)

    torch.save = slow


sys.meta_path.insert(0, NarrowUnet())

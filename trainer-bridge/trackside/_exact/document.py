"""`exact_0.json` of a state folder: what a training needs beyond accelerate's files to go on bit for bit.

Plain JSON, nothing to unpickle. A `Document` of another `format` counts as none: the state is gone on with plainly.
"""

from __future__ import annotations

import hashlib
import os
import platform
from typing import Any

from trackside._attempt import contract, regular

NAME = "exact_0.json"
FORMAT = 1
LARGEST = 64 << 20

Document = dict[str, Any]


def load(folder: str) -> Document | None:
    """None without one, and for one that is damaged or of another format."""
    try:
        found = regular.parse_json(regular.read_bytes(os.path.join(folder, NAME), LARGEST))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and found.get("format") == FORMAT and all(name in found for name in _NEEDED)
    return found if whole else None


_NEEDED = ("step", "epoch", "batches", "of", "updates_per_epoch", "facts", "chance", "datasets", "recorders")


def facts(loader: Any, parts: list[Any], accelerator: Any, args: Any) -> dict[str, Any]:
    """What has to be equal for a training to go on exactly. `parts` are the loader's datasets."""
    import accelerate
    import numpy
    import torch

    return {
        "seed": getattr(args, "seed", None),
        "seeds": [int(part.seed) for part in parts],
        "batch_sizes": [int(getattr(part, "batch_size", 1)) for part in parts],
        "pictures": [_pictures(part) for part in parts],
        "batches": len(loader),
        "accumulation": int(getattr(args, "gradient_accumulation_steps", 1) or 1),
        "workers": int(loader.num_workers),
        "persistent": bool(loader.persistent_workers),
        "processes": int(accelerator.num_processes),
        "device": _device(accelerator),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "accelerate": accelerate.__version__,
    }


def why_plainly(then: dict[str, Any], now: dict[str, Any]) -> str:
    """Why a training can't go on exactly, in words: what was found before it was resumed, or what differs; else empty."""
    return os.environ.get(contract.PLAINLY) or difference(then, now) or ""


def difference(then: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The first thing that differs, in words; None if a training can go on exactly. States of before say less."""
    for name, words in _WORDS.items():
        before, after = then.get(name), now.get(name)
        if name in then and before != after:
            return words.format(before=before, after=after)
    return None


_WORDS = {
    "processes": "{before} processes trained, now {after} do",
    "pictures": "the pictures, their captions or their repeats differ",
    "batch_sizes": "the batch size was {before}, and is {after}",
    "batches": "an epoch had {before} batches, and has {after}",
    "accumulation": "gradients of {before} batches went together, now of {after}",
    "seed": "the seed was {before}, and is {after}",
    "seeds": "the seed, or what the trainer draws from it, differs",
    "workers": "{before} workers loaded the pictures, now {after} do",
    "persistent": "the loader's workers were kept between epochs, or are now",
    "device": "it was trained on {before}, and is on {after}",
    "python": "Python was {before}, and is {after}",
    "torch": "torch was {before}, and is {after}",
    "numpy": "numpy was {before}, and is {after}",
    "accelerate": "accelerate was {before}, and is {after}",
}


def _pictures(part: Any) -> str:
    """A hash of names, captions and repeats, in their order."""
    found = hashlib.sha256()
    for key, info in (getattr(part, "image_data", None) or {}).items():
        repeats, caption = getattr(info, "num_repeats", None), getattr(info, "caption", None)
        found.update(repr((os.path.basename(str(key)), repeats, caption)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:32]


def _device(accelerator: Any) -> str:
    import torch

    kind = str(accelerator.device.type)
    return torch.cuda.get_device_name(accelerator.device) if kind == "cuda" else kind

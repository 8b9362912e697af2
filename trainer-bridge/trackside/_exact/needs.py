"""Checks in two halves that all names which exact pause relies on are there, before anything is changed.

Each returns why it is not available, in words, or None. Names: sd-scripts train_network.py `train()`, accelerate
data_loader.py and accelerator.py, torch utils/data.
"""

from __future__ import annotations

import multiprocessing
from types import FrameType
from typing import Any

from trackside._exact import frames

LOCALS = (
    "accelerator",
    "args",
    "current_epoch",
    "current_step",
    "epoch",
    "global_step",
    "loss_recorder",
    "metadata",
    "network",
    "num_update_steps_per_epoch",
    "optimizer_eval_fn",
    "optimizer_train_fn",
    "progress_bar",
    "save_model",
    "self",
    "text_encoder",
    "tokenizers",
    "train_dataloader",
    "unet",
    "vae",
    "val_epoch_loss_recorder",
    "val_step_loss_recorder",
)
RECORDERS = ("loss_recorder", "val_step_loss_recorder", "val_epoch_loss_recorder")


def before_script() -> str | None:
    """The first half: packages, before the script runs. Imports them."""
    try:
        import accelerate
        import numpy
        from accelerate.data_loader import DataLoaderShard
        from torch.utils.data._utils.fetch import _MapDatasetFetcher
    except ImportError as error:
        return f"{error.name or 'a package'} cannot be imported"
    needed = (
        (DataLoaderShard, ("__iter__", "end", "set_epoch")),
        (accelerate.Accelerator, ("save_state", "unwrap_model")),
        (_MapDatasetFetcher, ("fetch",)),
        (numpy, ("savez",)),
    )
    for owner, names in needed:
        for name in names:
            if not hasattr(owner, name):
                return f"{owner.__name__} has no {name} here"
    try:
        import rich.style
    except ImportError:
        rich_style = None
    else:
        rich_style = rich.style
    if rich_style is not None and not hasattr(rich_style, "randint"):
        return "rich.style has no randint here"
    return None if frames.can_write() else "this Python cannot write a function's variables"


def at_first_epoch(frame: FrameType, loader: Any) -> str | None:
    """The second half: the training itself, as its first epoch begins."""
    lacking = frames.missing(frame, LOCALS)
    if lacking:
        return f"the script has no {', '.join(lacking)}"
    accelerator, args, metadata = frames.read(frame, "accelerator", "args", "metadata")
    if accelerator.num_processes != 1:
        return f"{accelerator.num_processes} processes train together"
    if str(getattr(accelerator.distributed_type, "value", accelerator.distributed_type)) != "NO":
        return f"it trains with {accelerator.distributed_type}"
    if getattr(loader, "use_stateful_dataloader", False):
        return "its loader keeps states of its own"
    if loader.num_workers > 0 and _start_method(loader) != "fork":
        return "its loader's workers are not forked; with 0 workers it is available"
    if not isinstance(metadata, dict) or not hasattr(accelerator, "step") or not args.output_dir:
        return "the script has no metadata, steps or output folder"
    if getattr(loader.base_dataloader, "batch_sampler", None) is None:
        return "its loader has no batch sampler"
    for name in RECORDERS:
        (recorder,) = frames.read(frame, name)
        if not hasattr(recorder, "loss_list") or not hasattr(recorder, "loss_total"):
            return f"{name} keeps its losses in another way"
    for each in datasets(loader):
        if not all(hasattr(each, name) for name in ("current_epoch", "current_step", "seed", "set_current_epoch")):
            return "its dataset has no epoch, step or seed"
    return None


def datasets(loader: Any) -> list[Any]:
    return list(getattr(loader.dataset, "datasets", None) or [loader.dataset])


def _start_method(loader: Any) -> str:
    context = getattr(loader, "multiprocessing_context", None) or multiprocessing
    return str(context.get_start_method())

"""Checkpoints: the weights files that people keep, with sd-scripts' metadata in them (train_network.py:1035-1230)."""

import argparse
import json
import os
import random
import time
from pathlib import Path

from .dataset import Dataset
from .lora import Lora, weights_of
from .run_plan import RunPlan
from .slow_machine import write_in_place
from .weights_file import encode_weights, weights_hash


def save_checkpoint(path: Path, lora: Lora, metadata: dict[str, str], step: int, epoch: int) -> None:
    """Writes a weights file in place. `step` counts from this run's start; `epoch` is what sd-scripts puts into ss_epoch."""
    print(f"\nsaving checkpoint: {path}")
    os.makedirs(path.parent, exist_ok=True)
    weights = weights_of(lora)
    now = {"ss_training_finished_at": str(time.time()), "ss_steps": str(step), "ss_epoch": str(epoch)}
    write_in_place(path, encode_weights(weights, {**metadata, **now, "sshs_model_hash": weights_hash(weights)}))


def remove_checkpoint(path: Path) -> None:
    if path.exists():
        print(f"removing old checkpoint: {path}")
        path.unlink()


def make_metadata(args: argparse.Namespace, datasets: list[Dataset], plan: RunPlan, lora: Lora) -> dict[str, str]:
    """The metadata of a run before its first step, as texts (Python's "None" and "True" included)."""
    values = {
        "ss_session_id": random.SystemRandom().randint(0, 2**32),
        "ss_training_started_at": time.time(),
        "ss_output_name": args.output_name,
        "ss_learning_rate": args.learning_rate,
        "ss_text_encoder_lr": None,
        "ss_unet_lr": None,
        "ss_num_train_images": sum(dataset.length() for dataset in datasets),
        "ss_num_validation_images": 0,
        "ss_num_reg_images": 0,
        "ss_num_batches_per_epoch": plan.batches_per_epoch,
        "ss_num_epochs": plan.epochs,
        "ss_max_train_steps": plan.max_train_steps,
        "ss_gradient_accumulation_steps": args.gradient_accumulation_steps,
        "ss_gradient_checkpointing": False,
        "ss_lr_warmup_steps": 0,
        "ss_lr_scheduler": "constant",
        "ss_network_module": "networks.lora",
        "ss_network_dim": lora.rank,
        "ss_network_alpha": float(lora.alpha),
        "ss_network_dropout": None,
        "ss_mixed_precision": "no",
        "ss_full_fp16": False,
        "ss_v2": False,
        "ss_base_model_version": "practice",
        "ss_sd_model_name": "practice denoiser",
        "ss_clip_skip": None,
        "ss_max_token_length": None,
        "ss_cache_latents": False,
        "ss_seed": args.seed,
        "ss_optimizer": "practice.AdamW",
        "ss_loss_type": "l2",
        "ss_training_comment": None,
        "ss_datasets": json.dumps([describe_dataset(dataset) for dataset in datasets]),
        "ss_tag_frequency": json.dumps(
            {name: count for dataset in datasets for name, count in tag_frequency(dataset).items()}
        ),
        "ss_dataset_dirs": json.dumps(
            {name: counts for dataset in datasets for name, counts in dataset_dirs(dataset).items()}
        ),
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "practice-denoiser/lora",
        "modelspec.implementation": "trackside practice trainer",
        "modelspec.title": args.output_name or "LoRA",
        "modelspec.date": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "modelspec.resolution": "x".join(map(str, datasets[0].config.resolution)),
        "modelspec.prediction_type": "sample",
    }
    return {name: str(value) for name, value in values.items()}


def describe_dataset(dataset: Dataset) -> dict:
    config = dataset.config
    buckets = {
        number: {"resolution": size, "count": count} for number, (size, count) in enumerate(dataset.buckets().items())
    }
    return {
        "is_dreambooth": True,
        "batch_size_per_device": config.batch_size,
        "num_train_images": dataset.length(),
        "num_reg_images": 0,
        "resolution": config.resolution,
        "enable_bucket": config.enable_bucket,
        "tag_frequency": tag_frequency(dataset),
        "bucket_info": {"buckets": buckets},
        "subsets": [
            {
                "img_count": len(pictures),
                "num_repeats": pictures[0].repeats,
                "image_dir": Path(subset.image_dir).name,
                "class_tokens": subset.settings.get("class_tokens"),
                "is_reg": False,
            }
            for subset, pictures in dataset.subsets
        ],
    }


def tag_frequency(dataset: Dataset) -> dict[str, dict[str, int]]:
    frequency: dict[str, dict[str, int]] = {}
    for subset, pictures in dataset.subsets:
        tags = frequency.setdefault(Path(subset.image_dir).name, {})
        for picture in pictures:
            for tag in filter(None, map(str.strip, picture.caption.split(","))):
                tags[tag] = tags.get(tag, 0) + 1
    return frequency


def dataset_dirs(dataset: Dataset) -> dict[str, dict[str, int]]:
    return {
        Path(subset.image_dir).name: {"n_repeats": pictures[0].repeats, "img_count": len(pictures)}
        for subset, pictures in dataset.subsets
    }

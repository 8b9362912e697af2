"""Stands where sd-scripts has most of its code. Here it holds what a script does: read the flags, check, train."""

import argparse
import math
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[5] / "trainer-bridge"))

from trackside._practice import console, state_folder
from trackside._practice import train as practice
from trackside._practice.run_plan import RunPlan, first_epoch, plan_run
from trackside._practice.zip_record import encode_record

from library.flags import build_parser

NEEDED = {
    "sd": ["pretrained_model_name_or_path"],
    "sdxl": ["pretrained_model_name_or_path"],
    "flux": ["pretrained_model_name_or_path", "clip_l", "t5xxl", "ae"],
    "sd3": ["pretrained_model_name_or_path"],
    "lumina": ["pretrained_model_name_or_path", "gemma2", "ae"],
    "hunyuan_image": ["pretrained_model_name_or_path", "text_encoder", "byt5", "vae"],
    "anima": ["pretrained_model_name_or_path", "qwen3", "vae"],
}


def main(family: str) -> None:
    """One process of a run: with several GPUs there are as many of them, and the first one tells and saves everything."""
    args = build_parser(family).parse_args()
    check(family, args)
    if rank() > 0:
        wait_for_the_first()
    share_between_processes()
    if args.mixed_precision == "fp16":
        save_scaler_too()
    load_models(family, args)
    fail_as_told()
    hold_only_what_fits()
    practice.first_epoch = lambda plan, epoch, step: epoch_to_start(args, plan, epoch, step)
    practice.train(args)


def check(family: str, args: argparse.Namespace) -> None:
    """Combinations that the scripts refuse (their assert_extra_args)."""
    if getattr(args, "cache_text_encoder_outputs", False):
        drops = [args.shuffle_caption, args.caption_dropout_rate, args.caption_tag_dropout_rate, args.token_warmup_step]
        assert not any(drops), (
            "when caching Text Encoder output, shuffle_caption and dropout of captions cannot be used"
        )
        if family == "sdxl":
            assert args.network_train_unet_only, (
                "network for Text Encoder cannot be trained with caching Text Encoder outputs"
            )


def load_models(family: str, args: argparse.Namespace) -> None:
    """Nothing of them is read: what is missing ends the run as it does in sd-scripts, some seconds in."""
    needed = [name for name in NEEDED[family] if not (name == "clip_l" and args.model_type == "chroma")]
    for name in needed:
        path = getattr(args, name)
        if path is None:
            raise AttributeError("'NoneType' object has no attribute 'lower'")
        if not os.path.exists(path):
            raise FileNotFoundError(f"No such file or directory: {path!r}")
    if not args.network_module:
        raise ModuleNotFoundError("No module named 'None'")


def save_scaler_too() -> None:
    """With fp16 a state holds the gradient scaler too, written just before the random states (accelerate checkpointing.py)."""
    write = state_folder.write_in_place

    def write_with_scaler(path: Path, content: bytes) -> None:
        if path.name == "random_states_0.pkl":
            scaler = path.with_name("scaler.pt")
            write(scaler, encode_record("scaler", {"scale": 65536.0}, []))
            console.info(f"Gradient scaler state saved in {scaler}", "checkpointing.py:147")
        write(path, content)

    state_folder.write_in_place = write_with_scaler


def fail_as_told() -> None:
    """For tests: ends with the exception that STAND_IN_RAISES names, as `module.Name: words`."""
    told = os.environ.get("STAND_IN_RAISES", "")
    if told:
        name, _, words = told.partition(": ")
        module, _, own = name.rpartition(".")
        raise type(own, (Exception,), {"__module__": module})(words)


def hold_only_what_fits() -> None:
    """For tests: a GPU that holds only a training with the flag that STAND_IN_FITS names; any other ends at its third step."""
    flag = os.environ.get("STAND_IN_FITS", "")
    if not flag or flag in sys.argv:
        return
    end_step = practice.end_step

    def end_step_or_all(run: practice.Run) -> None:
        end_step(run)
        if run.step == 3:
            error = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})
            raise error("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 44.99 GiB")

    practice.end_step = end_step_or_all


def processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def wait_for_the_first() -> None:
    """A further GPU's process computes until the launcher or a signal ends it: nothing here looks at its parent."""
    while True:
        time.sleep(0.2)


def share_between_processes() -> None:
    """Each process has its share of the batches (accelerate's BatchSamplerShard), rounded up."""
    count = processes()
    batches = practice.epoch_batches
    practice.epoch_batches = lambda *given: batches(*given)[::count]
    practice.plan_run = lambda total, *rest: plan_run(math.ceil(total / count), *rest)


def epoch_to_start(args: argparse.Namespace, plan: RunPlan, initial_epoch: int | None, step: int | None) -> int:
    """train_network.py:1232-1273. With several processes `--initial_epoch` divides by their number once more."""
    if args.initial_step is not None:
        return first_epoch(plan, None, args.initial_step)
    if initial_epoch is not None and processes() > 1:
        per_epoch = math.ceil(plan.batches_per_epoch / processes() / args.gradient_accumulation_steps)
        console.info(f"initial_epoch {initial_epoch} of {processes()} processes", "train_network.py:1243")
        return first_epoch(plan, None, (initial_epoch - 1) * per_epoch)
    return first_epoch(plan, initial_epoch, step)

"""A whole training run, in the order of sd-scripts' train_network.py, its console lines and its quirks on resume included."""

import argparse
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import console
from .adamw import AdamW, new_adamw, update
from .bar import Bar
from .checkpoint import make_metadata
from .dataset import NO_DATA, Dataset, epoch_batches, find_pictures, load_pictures
from .dataset_config import read_dataset_config
from .denoiser import INPUTS, PATCH
from .event_file import Events, open_events
from .exact import Exact
from .gradient import Gradient, batch_gradient
from .lora import Lora, new_lora
from .run_plan import STEPS_IGNORED, LossAverage, RunPlan, first_epoch, plan_run
from .samples import draw_samples, samples_due
from .saves import save_end, save_epoch, save_step
from .slow_machine import finish_step
from .state_folder import load_state


@dataclass
class Run:
    """The state of a run, and its parts."""

    args: argparse.Namespace
    datasets: list[Dataset]
    plan: RunPlan
    lora: Lora
    optimizer: AdamW
    chance: random.Random  # noise; part of a state folder
    metadata: dict[str, str]
    events: Events
    losses: LossAverage
    bar: Bar = field(init=False)  # from the first step on
    epoch: int = 0  # from 1, over all runs
    step: int = 0  # from this run's start, also after a resume (train_network.py:1275); with `exact` over all runs
    exact: Exact | None = None


def train(args: argparse.Namespace) -> None:
    """Trains. Also returns without any picture to train on; every other problem is an uncaught exception."""
    if args.seed is None:
        args.seed = random.SystemRandom().randint(0, 2**32)
    exact = Exact(args) if getattr(args, "exact_pause", False) else None
    datasets = read_datasets(args)
    if not any(dataset.length() for dataset in datasets):
        console.error(NO_DATA, "train_network.py:576")
        return
    run, start = prepare(args, datasets, exact)
    if samples_due(args, 0, 0):
        draw_samples(args, 0, 0, run.lora, bars=0)
    console.info("unet dtype: float32, device: cpu", "train_network.py:1347")
    console.info("text_encoder [0] dtype: float32, device: cpu", "train_network.py:1353")
    run.bar = Bar(run.plan.max_train_steps, "steps")
    if exact:
        exact.begin(run)
    for epoch in range(start, run.plan.epochs):
        run.epoch = epoch + 1
        train_epoch(run)
        if exact and exact.finishing:
            break
        run.events.scalar("loss/epoch_average", run.losses.mean(), run.epoch)
        save_epoch(run)
        draw_if_due(run, run.epoch)
    save_end(run)
    run.bar.close()


def read_datasets(args: argparse.Namespace) -> list[Dataset]:
    if args.dataset_config is None:
        raise ValueError("--dataset_config is needed: the dataset.toml that names the folders of pictures")
    console.info(f"Loading dataset config from {args.dataset_config}", "train_network.py:519")
    return find_pictures(read_dataset_config(Path(args.dataset_config)))


def prepare(args: argparse.Namespace, datasets: list[Dataset], exact: Exact | None = None) -> tuple[Run, int]:
    """Does everything before the first step; also returns the epoch to start with, 0 is the first."""
    console.info("preparing accelerator", "train_network.py:593")
    print("accelerator device: cpu")
    console.info("loading model for process 0/1", "train_util.py:5574")
    print("import network module: networks.lora")
    load_pictures(datasets)
    lora, optimizer, chance = new_network(args)
    batches = sum(dataset.batches() for dataset in datasets)
    plan = plan_run(batches, args.gradient_accumulation_steps, args.max_train_steps, args.max_train_epochs)
    if args.max_train_epochs is not None:
        print(
            f"override steps. steps for {args.max_train_epochs} epochs is / 指定エポックまでのステップ数: {plan.max_train_steps}"
        )
    step_of_state = load_state(Path(args.resume), lora, optimizer, chance) if args.resume else None
    if exact:
        exact.compare(datasets, plan)
    describe(args, datasets, plan)
    metadata = make_metadata(args, datasets, plan, lora)
    if args.initial_epoch is not None and step_of_state is not None:
        console.warning(STEPS_IGNORED, "train_network.py:1237")
    exactly = exact.first_epoch() if exact else None
    start = first_epoch(plan, args.initial_epoch, step_of_state) if exactly is None else exactly
    run = Run(args, datasets, plan, lora, optimizer, chance, metadata, open_events(args), LossAverage())
    run.exact = exact
    return run, start


def new_network(args: argparse.Namespace) -> tuple[Lora, AdamW, random.Random]:
    chance = random.Random(args.seed)
    rank = args.network_dim or 4
    console.info(f"create LoRA network. base dim (rank): {rank}, alpha: {args.network_alpha}", "lora.py:935")
    lora = new_lora(rank, args.network_alpha, INPUTS, PATCH, chance)
    console.info("create LoRA for Text Encoder: 1 modules.", "lora.py:1035")
    console.info("create LoRA for U-Net: 1 modules.", "lora.py:1043")
    print("prepare optimizer, data loader etc.")
    console.info("use AdamW optimizer | {}", "train_util.py:5096")
    return lora, new_adamw(args.learning_rate, lora.tensors), chance


def describe(args: argparse.Namespace, datasets: list[Dataset], plan: RunPlan) -> None:
    sizes = ", ".join(str(dataset.config.batch_size) for dataset in datasets)
    print("running training / 学習開始")
    print(f"  num train images * repeats / 学習画像の数×繰り返し回数: {sum(dataset.length() for dataset in datasets)}")
    print("  num validation images * repeats / 学習画像の数×繰り返し回数: 0")
    print("  num reg images / 正則化画像の数: 0")
    print(f"  num batches per epoch / 1epochのバッチ数: {plan.batches_per_epoch}")
    print(f"  num epochs / epoch数: {plan.epochs}")
    print(f"  batch size per device / バッチサイズ: {sizes}")
    print(f"  gradient accumulation steps / 勾配を合計するステップ数 = {args.gradient_accumulation_steps}")
    print(f"  total optimization steps / 学習ステップ数: {plan.max_train_steps}")


def train_epoch(run: Run) -> None:
    print(f"\nepoch {run.epoch}/{run.plan.epochs}\n")
    console.info(f"epoch is incremented. current_epoch: {run.epoch - 1}, epoch: {run.epoch}", "train_util.py:784")
    batches = epoch_batches(run.datasets, run.args.seed, run.epoch)
    exact = run.exact
    trained = exact.batches if exact else 0
    if exact and trained == 0:
        exact.between(run, run.epoch)
        if exact.finishing:
            return
    together = run.args.gradient_accumulation_steps
    gradients: list[Gradient] = []
    started = time.monotonic()
    for number, batch in enumerate(batches):
        if number < trained:
            continue
        loss, gradient = batch_gradient(run.lora, batch, run.chance)
        gradients.append(gradient)
        if len(gradients) == together or number == len(batches) - 1:
            update(run.optimizer, run.lora.tensors, mean_gradient(gradients, together))
            gradients = []
            finish_step(started)
            end_step(run)
            started = time.monotonic()
        average = run.losses.add(run.epoch - 1, number, loss)
        run.bar.say(avr_loss=average)
        run.events.step(run.step, loss, average, run.optimizer.learning_rate)
        if run.step >= run.plan.max_train_steps:
            break
        if exact:
            exact.batches = number + 1
            if not gradients:
                exact.between(run, run.epoch)
                if exact.finishing:
                    return
    if exact:
        exact.batches = 0


def mean_gradient(gradients: list[Gradient], together: int) -> Gradient:
    if together == 1:
        return gradients[0]
    return {name: [sum(values) / together for values in zip(*(g[name] for g in gradients))] for name in gradients[0]}


def end_step(run: Run) -> None:
    run.bar.advance()
    run.step += 1
    draw_if_due(run, None)
    save_step(run)


def draw_if_due(run: Run, epoch: int | None) -> None:
    if samples_due(run.args, run.step, epoch):
        if run.exact:
            run.exact.asks.uncut(lambda: draw_samples(run.args, run.step, epoch, run.lora, bars=1))
        else:
            draw_samples(run.args, run.step, epoch, run.lora, bars=1)
    run.bar.forget_pause()

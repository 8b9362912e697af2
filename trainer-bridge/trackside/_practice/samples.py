"""Sample pictures: noise that the denoiser turns into a picture, step by step."""

import argparse
import os
import random
import time
from pathlib import Path

from . import console
from .bar import Bar
from .denoiser import SIDE, Denoiser, level_of, noise_at, patch_at, place_of, words_of
from .lora import Lora
from .pictures import Rows
from .png import write_png
from .prompts import Prompt, read_prompts

MOST_PIXELS = 96  # a side; drawing is the slowest thing here
MOST_STEPS = 8
SHIFTS = [
    ((0, 0), (2, 2)),
    ((0, 2), (2, 0)),
    ((1, 1), (3, 3)),
    ((1, 3), (3, 1)),
]  # two grids a step, so that no border is seen


def samples_due(args: argparse.Namespace, step: int, epoch: int | None) -> bool:
    """Are samples due now? `epoch` is None between steps, the absolute epoch at its end (train_util.py:6376-6391)."""
    if step == 0:
        return args.sample_at_first
    if args.sample_every_n_epochs is not None:
        return epoch is not None and epoch % args.sample_every_n_epochs == 0
    return args.sample_every_n_steps is not None and epoch is None and step % args.sample_every_n_steps == 0


def draw_samples(args: argparse.Namespace, step: int, epoch: int | None, lora: Lora, bars: int) -> None:
    """Draws one picture for every prompt into <output_dir>/sample. `bars` is the number of bars on the screen.

    A missing prompt file is only logged; no --sample_prompts raises TypeError, as in sd-scripts
    (train_util.py:6395).
    """
    console.info("", "train_util.py:6393")
    console.info(f"generating sample images at step / サンプル画像生成 ステップ: {step}", "train_util.py:6394")
    if not os.path.isfile(args.sample_prompts):
        console.error(f"No prompt file / プロンプトファイルがありません: {args.sample_prompts}", "train_util.py:6396")
        return
    folder = Path(args.output_dir) / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    number = f"e{epoch:06d}" if epoch is not None else f"{step:06d}"
    prefix = "" if args.output_name is None else f"{args.output_name}_"
    for index, prompt in enumerate(read_prompts(Path(args.sample_prompts))):
        prompt = within_limits(prompt)
        announce(prompt)
        rows = draw(lora, prompt, Bar(prompt.sample_steps, below=bars))
        seed = "" if prompt.seed is None else f"_{prompt.seed}"
        name = f"{prefix}{number}_{index:02d}_{time.strftime('%Y%m%d%H%M%S')}{seed}.png"
        write_png(folder / name, prompt.width, prompt.height, [to_bytes(row) for row in rows])


def within_limits(prompt: Prompt) -> Prompt:
    """The size rounded down to 8 pixels, 64 at least, as sd-scripts does; then no larger and no longer than is quick here."""
    width, height = (min(max(64, side - side % 8), MOST_PIXELS) for side in (prompt.width, prompt.height))
    steps = min(max(1, prompt.sample_steps), MOST_STEPS)
    return Prompt(**{**prompt.__dict__, "width": width, "height": height, "sample_steps": steps})


def announce(prompt: Prompt) -> None:
    fields = ["prompt", "negative_prompt", "height", "width", "sample_steps", "scale", "sample_sampler"]
    for line, name in enumerate(fields, start=6542):
        console.info(f"{name}: {getattr(prompt, name)}", f"train_util.py:{line}")
    if prompt.seed is not None:
        console.info(f"seed: {prompt.seed}", "train_util.py:6550")


def draw(lora: Lora, prompt: Prompt, bar: Bar) -> Rows:
    """A picture as rows of R, G, B from -1 to 1. Uses a generator of its own, so that sampling leaves the training as it is."""
    chance = random.Random(prompt.seed)
    denoiser = Denoiser(lora)
    word_part = denoiser.word_part(words_of(prompt.prompt))
    picture = [[chance.gauss(0.0, 1.0) for _ in range(3 * prompt.width)] for _ in range(prompt.height)]
    for i in range(prompt.sample_steps):
        a, b = noise_at(1 - i / prompt.sample_steps)
        next_a, next_b = noise_at(1 - (i + 1) / prompt.sample_steps)
        grids = [clean_picture(denoiser, picture, shift, word_part, (a, b)) for shift in SHIFTS[i % len(SHIFTS)]]
        clean = [[(one + other) / 2 for one, other in zip(*rows)] for rows in zip(*grids)]
        keep = next_b / b
        change = next_a - keep * a
        picture = [[change * guess + keep * value for guess, value in zip(*rows)] for rows in zip(clean, picture)]
        bar.advance()
    bar.close()
    return picture


def clean_picture(
    denoiser: Denoiser, picture: Rows, shift: tuple[int, int], word_part: list, noise: tuple[float, float]
) -> Rows:
    """The denoiser's guess of the whole picture, from a grid of patches that lies `shift` pixels off the corner."""
    width, height = len(picture[0]) // 3, len(picture)
    level = level_of(*noise)
    clean: Rows = [[0.0] * (3 * width) for _ in range(height)]
    for y in starts(height, shift[1]):
        for x in starts(width, shift[0]):
            inside = denoiser.inside(patch_at(picture, x, y), place_of(x, y, width, height), word_part, level)
            guess = denoiser.guess(inside)
            for line in range(SIDE):
                clean[y + line][3 * x : 3 * (x + SIDE)] = guess[3 * SIDE * line : 3 * SIDE * (line + 1)]
    return clean


def starts(size: int, shift: int) -> list[int]:
    inner = list(range(shift, size - SIDE + 1, SIDE))
    return inner if shift == 0 else [0, *inner, size - SIDE]


def to_bytes(row: list[float]) -> bytes:
    return bytes(min(255, max(0, round(127.5 * (value + 1)))) for value in row)

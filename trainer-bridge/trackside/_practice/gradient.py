"""Loss and gradient of one batch: the denoiser's error on noised patches of the pictures, and its slope."""

import os
import random
from collections.abc import Iterable, Sequence
from operator import mul

from .dataset import Example
from .denoiser import (
    COARSE,
    FEATURES,
    PATCH,
    SIDE,
    Denoiser,
    coarse_place,
    level_of,
    noise_at,
    patch_at,
    place_of,
    word_feature,
    words_of,
)
from .lora import CAPTION_LAYER, PATCH_LAYER, Lora

PATCHES = int(os.environ.get("PRACTICE_PATCHES") or 80)  # patches looked at in each picture of a batch

Gradient = dict[str, list[float]]  # by tensor name, in row order


def batch_gradient(lora: Lora, batch: list[Example], chance: random.Random) -> tuple[float, Gradient]:
    """Mean squared error of the guessed patches, and its gradient for every tensor of the LoRA."""
    denoiser = Denoiser(lora)
    rank, scale = lora.rank, lora.scale()
    up_columns = list(zip(*denoiser.up))
    weight = 2 / (len(batch) * PATCHES * PATCH)
    caption_down = [[0.0] * rank for _ in range(FEATURES)]
    errors, insides, backs = [], [], []
    loss = 0.0
    for example in batch:
        height, width = len(example.rows), len(example.rows[0]) // 3
        words = words_of(example.caption)
        word_part = denoiser.word_part(words)
        at_place = [[0.0] * rank for _ in range(COARSE * COARSE)]
        for _ in range(PATCHES):
            x, y = chance.randrange(width - SIDE + 1), chance.randrange(height - SIDE + 1)
            a, b = noise_at(chance.random())
            level = level_of(a, b)
            clean = patch_at(example.rows, x, y)
            noised = [a * value + b * chance.gauss(0.0, 1.0) for value in clean]
            place = place_of(x, y, width, height)
            inside = denoiser.inside(noised, place, word_part, level)
            error = [guess - value for guess, value in zip(denoiser.guess(inside), clean)]
            loss += sum(map(mul, error, error))
            back = [sum(map(mul, column, error)) for column in up_columns]
            for k in range(rank):
                known = level[1] * back[rank + k]
                caption_down[place][k] += known
                at_place[coarse_place(place)][k] += known
            errors.append(error)
            insides.append(inside)
            backs.append(back[:rank])
        for word in words:
            for place, values in enumerate(at_place):
                row = caption_down[word_feature(word, place)]
                for k in range(rank):
                    row[k] += values[k]
    error_columns = list(zip(*errors))
    inside_columns = list(zip(*insides))
    seen, hidden, known = inside_columns[:PATCH], inside_columns[PATCH : PATCH + rank], inside_columns[PATCH + rank :]
    gradient = {
        f"{PATCH_LAYER}.lora_down.weight": products(zip(*backs), seen, weight),
        f"{PATCH_LAYER}.lora_up.weight": products(error_columns, hidden, weight * scale),
        f"{CAPTION_LAYER}.lora_down.weight": [weight * value for column in zip(*caption_down) for value in column],
        f"{CAPTION_LAYER}.lora_up.weight": products(error_columns, known, weight * scale),
    }
    return loss / (len(batch) * PATCHES * PATCH), gradient


def products(rows: Iterable[Sequence[float]], columns: Sequence[Sequence[float]], weight: float) -> list[float]:
    return [weight * sum(map(mul, row, column)) for row in rows for column in columns]

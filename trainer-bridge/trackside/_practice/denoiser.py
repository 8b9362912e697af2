"""The model: a linear denoiser of 4x4 patches. It guesses the clean patch from a noised one, its place and the caption's words.

The base is frozen, random and the same for everybody; only the LoRA learns. A patch at noise level t (0 clean, 1 noise)
is a*clean + b*noise with a = cos(t*pi/2), b = sin(t*pi/2). The guess is gain*patch_layer(patch) + (1 - a*gain)*caption_layer(words):
the best guess of a linear model trusts what it sees at low noise, and what it knows of place and words at high noise.
"""

import math
import random
import re
import zlib
from operator import mul

from .lora import CAPTION_LAYER, PATCH_LAYER, Lora
from .pictures import Rows

SIDE = 4  # pixels
PATCH = 3 * SIDE * SIDE
BASE_SEED = 20261122
PLACES = 8  # places across, and as many down, that have a feature of their own
COARSE = 4  # the same for each word
WORDS = 16  # words share this many features
FEATURES = PLACES * PLACES + WORDS * COARSE * COARSE
INPUTS = {PATCH_LAYER: PATCH, CAPTION_LAYER: FEATURES}
SIGNAL = 8.0  # variance that a picture's strongest patch pattern is taken to have, in units of the noise's


class Denoiser:
    """The base with the LoRA applied, frozen at the LoRA's present weights: made anew for each step."""

    def __init__(self, lora: Lora):
        scale = lora.scale()
        self.rank = lora.rank
        self.patch_down = lora.tensors[f"{PATCH_LAYER}.lora_down.weight"].rows()
        self.caption_down = list(zip(*lora.tensors[f"{CAPTION_LAYER}.lora_down.weight"].rows()))
        patch_up = lora.tensors[f"{PATCH_LAYER}.lora_up.weight"].rows()
        caption_up = lora.tensors[f"{CAPTION_LAYER}.lora_up.weight"].rows()
        self.up = [[scale * value for value in patch + caption] for patch, caption in zip(patch_up, caption_up)]
        self.rows = [base + up for base, up in zip(BASE, self.up)]  # one product for base and both LoRA layers

    def word_part(self, words: list[int]) -> list[list[float]]:
        """What a caption contributes to the caption layer's hidden values at each coarse place."""
        return [
            [
                sum(column)
                for column in zip([0.0] * self.rank, *(self.caption_down[word_feature(word, place)] for word in words))
            ]
            for place in range(COARSE * COARSE)
        ]

    def inside(
        self, patch: list[float], place: int, word_part: list[list[float]], level: tuple[float, float]
    ) -> list[float]:
        """The input of the model's last matrix product: the patch, and both layers' hidden values."""
        gain, trust = level
        seen = [gain * value for value in patch]
        hidden = [sum(map(mul, row, seen)) for row in self.patch_down]
        known = map(sum, zip(self.caption_down[place], word_part[coarse_place(place)]))
        return seen + hidden + [trust * value for value in known]

    def guess(self, inside: list[float]) -> list[float]:
        """The clean patch, 48 numbers from -1 to 1."""
        return [sum(map(mul, row, inside)) for row in self.rows]


def words_of(caption: str) -> list[int]:
    """The features of a caption's words, each once: a word's checksum chooses it."""
    return sorted({zlib.crc32(word.encode()) % WORDS for word in re.findall(r"\w+", caption.lower())})


def noise_at(t: float) -> tuple[float, float]:
    """Shares of picture and noise at noise level t from 0 to 1."""
    return math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)


def level_of(a: float, b: float) -> tuple[float, float]:
    """The weights of the visible patch, and of the knowledge without it, in the guess."""
    gain = a / (a * a + b * b / SIGNAL)
    return gain, 1 - a * gain


def patch_at(rows: Rows, x: int, y: int) -> list[float]:
    start, end = 3 * x, 3 * (x + SIDE)
    return rows[y][start:end] + rows[y + 1][start:end] + rows[y + 2][start:end] + rows[y + 3][start:end]


def place_of(x: int, y: int, width: int, height: int) -> int:
    """The place feature of the patch whose left upper pixel is x, y."""
    column = min((x + SIDE // 2) * PLACES // width, PLACES - 1)
    row = min((y + SIDE // 2) * PLACES // height, PLACES - 1)
    return row * PLACES + column


def coarse_place(place: int) -> int:
    return place // PLACES * COARSE // PLACES * COARSE + place % PLACES * COARSE // PLACES


def word_feature(word: int, place: int) -> int:
    return PLACES * PLACES + word * COARSE * COARSE + place


def make_base() -> list[list[float]]:
    chance = random.Random(BASE_SEED)
    return [[chance.gauss(0, 0.25 / math.sqrt(PATCH)) for _ in range(PATCH)] for _ in range(PATCH)]


BASE = make_base()

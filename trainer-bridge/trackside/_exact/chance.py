"""Random states of a process: Python's, numpy's, torch's, and those of all CUDA devices, as plain JSON."""

from __future__ import annotations

import base64
import random
import struct
from typing import Any

import numpy
import torch

Chance = dict[str, Any]


def raw() -> tuple[Any, Any, Any]:
    """The states without a device's, not encoded yet: cheap enough for each load of a batch."""
    return random.getstate(), numpy.random.get_state(), torch.get_rng_state()


def encode(states: tuple[Any, Any, Any]) -> Chance:
    (version, words, gauss), (_, keys, position, has_gauss, cached), of_torch = states
    return {
        "python": [version, _text(struct.pack(f"{len(words)}I", *words)), gauss],
        "numpy": [_text(keys.tobytes()), int(position), int(has_gauss), float(cached)],
        "torch": encode_torch(of_torch),
    }


def capture() -> Chance:
    """All states of this process, devices included."""
    states = encode(raw())
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states["cuda"] = [encode_torch(state) for state in torch.cuda.get_rng_state_all()]
    return states


def restore(states: Chance) -> None:
    """The opposite. Raises ValueError or KeyError for what `capture` did not write."""
    version, words, gauss = states["python"]
    packed = base64.b64decode(words)
    random.setstate((version, struct.unpack(f"{len(packed) // 4}I", packed), gauss))
    keys, position, has_gauss, cached = states["numpy"]
    unpacked = numpy.frombuffer(base64.b64decode(keys), dtype=numpy.uint32)
    numpy.random.set_state(("MT19937", unpacked, position, has_gauss, cached))
    torch.set_rng_state(decode_torch(states["torch"]))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([decode_torch(state) for state in states["cuda"]])


def encode_torch(state: Any) -> str:
    return _text(state.numpy().tobytes())


def decode_torch(text: str) -> Any:
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)


def pack_floats(values: list[float]) -> str:
    """Exactly, and also what JSON cannot say (nan)."""
    return _text(struct.pack(f"{len(values)}d", *values))


def unpack_floats(text: str) -> list[float]:
    packed = base64.b64decode(text)
    return list(struct.unpack(f"{len(packed) // 8}d", packed))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

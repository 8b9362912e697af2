"""Weights files in the safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes."""

import hashlib
import json
import math
import struct
import sys
from array import array
from pathlib import Path

from trackside._attempt import regular

from .lora import Tensor

LARGEST = 1 << 30  # bytes


class SafetensorError(Exception):
    """The file is cut off, or not a safetensors file; in the words of the safetensors package."""


def encode_weights(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """The bytes of a weights file. Tensors are sorted by name, the header is padded to 8 bytes, as the package does."""
    header: dict = {"__metadata__": metadata}
    position = 0
    for name, tensor in sorted(tensors.items()):
        end = position + 4 * len(tensor.values)
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + tensor_bytes(tensors)


def weights_hash(tensors: dict[str, Tensor]) -> str:
    """sha256 of all tensors' bytes (sshs_model_hash in train_util.py:addnet_hash_safetensors)."""
    return hashlib.sha256(tensor_bytes(tensors)).hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file of 32-bit floats. Raises SafetensorError, FileNotFoundError."""
    content = regular.read_bytes(path, LARGEST)
    if len(content) < 8:
        raise SafetensorError("Error while deserializing header: header too small")
    (size,) = struct.unpack("<Q", content[:8])
    if 8 + size > len(content):
        raise SafetensorError("Error while deserializing header: invalid header length")
    try:
        header = json.loads(content[8 : 8 + size])
    except ValueError as cause:
        raise SafetensorError("Error while deserializing header: invalid JSON in header") from cause
    header.pop("__metadata__", None)
    data = content[8 + size :]
    if max((entry["data_offsets"][1] for entry in header.values()), default=0) != len(data):
        raise SafetensorError("Error while deserializing header: incomplete metadata, file not fully covered")
    return {name: read_tensor(entry, data) for name, entry in header.items()}


def read_tensor(entry: dict, data: bytes) -> Tensor:
    begin, end = entry["data_offsets"]
    if entry["dtype"] != "F32" or end - begin != 4 * math.prod(entry["shape"]):
        raise SafetensorError("Error while deserializing header: tensor is not made of 32-bit floats")
    return Tensor(tuple(entry["shape"]), from_little_endian(data[begin:end]))


def tensor_bytes(tensors: dict[str, Tensor]) -> bytes:
    return b"".join(to_little_endian(tensor.values) for _, tensor in sorted(tensors.items()))


def to_little_endian(values: array) -> bytes:
    values = array("f", values)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def from_little_endian(data: bytes) -> array:
    values = array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values

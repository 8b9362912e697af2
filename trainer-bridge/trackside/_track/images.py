"""Sample pictures as files: from Pillow, numpy, torch, or a file that is there already."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import zlib
from typing import Any

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def save(image: Any, folder: str, stem: str) -> str:
    """Writes the picture into `folder`, hidden until it is whole; returns its path. A picture is a path, a Pillow image,
    or an array or tensor of height × width (× 1, 3 or 4), also with the channels first; whole numbers from 0 to 255, or
    fractions from 0 (or -1) to 1. Raises OSError, and TypeError for anything else.
    """
    if isinstance(image, (str, os.PathLike)):
        suffix = os.path.splitext(os.fspath(image))[1].lower()
        if suffix not in SUFFIXES:
            raise TypeError(f"{image}: a sample is a PNG, JPEG or WebP file")
        return _place(folder, stem + suffix, lambda path: shutil.copyfile(image, path))
    if hasattr(image, "save") and hasattr(image, "size") and hasattr(image, "mode"):
        return _place(folder, stem + ".png", lambda path: image.save(path, format="PNG"))
    data = _png(image)

    def write(path: str) -> None:
        with open(path, "wb") as file:
            file.write(data)

    return _place(folder, stem + ".png", write)


def _place(folder: str, name: str, write: Any) -> str:
    os.makedirs(folder, exist_ok=True)
    hidden, final = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.tmp"), os.path.join(folder, name)
    try:
        write(hidden)
        os.replace(hidden, final)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(hidden)
        raise
    return final


def _png(image: Any) -> bytes:
    array = image
    if hasattr(image, "detach"):  # a torch tensor, perhaps bfloat16 on a GPU
        tensor = image.detach().cpu()
        array = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    if not hasattr(array, "shape") or not hasattr(array, "tobytes"):
        raise TypeError(f"a {type(image).__name__} is no picture")
    while array.ndim > 3:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise TypeError(f"an array of shape {tuple(array.shape)} is no picture")
    if array.dtype.kind == "f":
        if float(array.max()) <= 1:
            array = (array + 1) * 127.5 if float(array.min()) < 0 else array * 255
        array = array.round().clip(0, 255)
    height, width, channels = array.shape
    rows = array.astype("uint8")
    pixels = b"".join(b"\0" + rows[row].tobytes() for row in range(height))
    kind = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(pixels, 6)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

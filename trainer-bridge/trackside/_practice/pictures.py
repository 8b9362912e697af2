"""Pictures of the user as numbers: PNG by hand, other formats through Pillow where it is installed."""

from io import BytesIO
from operator import mul
from pathlib import Path
from typing import Any, BinaryIO

from trackside._attempt import regular

from .png import SIGNATURE, InterlacedPng, PngError, decode_png, read_png_size

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")  # train_util.py:125

Rows = list[list[float]]  # one list a row: R, G, B, R, G, B, … from -1 to 1

LARGEST = 1 << 30  # bytes


class PictureError(Exception):
    """A picture cannot be used; the message names the file and says what to do."""


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels. Raises PictureError."""
    with regular.open_file(path, LARGEST) as file:
        head = file.read(64)
        if head[:8] != SIGNATURE:
            file.seek(0)
            return open_with_pillow(path, file).size
    try:
        return read_png_size(head)
    except PngError as cause:
        raise PictureError(f"{path}: {cause}") from cause


def load_picture(path: Path, width: int, height: int) -> Rows:
    """The picture scaled by area sampling until it covers width x height, then cut to that size around its middle.

    Raises PictureError.
    """
    rows = read_rgb(path)
    source_width, source_height = len(rows[0]) // 3, len(rows)
    scale = max(width / source_width, height / source_height)
    full_width, full_height = max(width, round(source_width * scale)), max(height, round(source_height * scale))
    left, top = (full_width - width) // 2, (full_height - height) // 2
    columns = shares(source_width, full_width)[left : left + width]
    lines = shares(source_height, full_height)[top : top + height]
    return scale_down(scale_across(rows, columns), lines)


def read_rgb(path: Path) -> list[bytes]:
    content = regular.read_bytes(path, LARGEST)
    if content[:8] == SIGNATURE:
        try:
            return decode_png(content)
        except InterlacedPng:
            pass  # Pillow reads it, or says that it is missing
        except PngError as cause:
            raise PictureError(f"{path}: {cause}") from cause
    picture = open_with_pillow(path, BytesIO(content)).convert("RGB")
    data, stride = picture.tobytes(), picture.width * 3
    return [data[start : start + stride] for start in range(0, len(data), stride)]


def open_with_pillow(path: Path, file: BinaryIO) -> Any:
    try:
        from PIL import Image
    except ImportError as cause:
        raise PictureError(
            f"{path}: this is not a plain PNG picture, and other kinds need Pillow. "
            "Install it (python3 -m pip install pillow) or save the picture as a PNG without interlacing"
        ) from cause
    try:
        return Image.open(file)
    except OSError as cause:
        raise PictureError(f"{path}: this picture cannot be read ({cause})") from cause


def shares(source: int, target: int) -> list[tuple[int, list[float]]]:
    """For every target pixel: the first source pixel that it covers, and how much of it each one makes up."""
    ratio = source / target
    result = []
    for i in range(target):
        begin, end = i * ratio, min((i + 1) * ratio, source)
        first, last = int(begin), min(int(end - 1e-9), source - 1)
        parts = [min(end, k + 1) - max(begin, k) for k in range(first, last + 1)]
        result.append((first, [part / sum(parts) for part in parts]))
    return result


def scale_across(rows: list[bytes], columns: list[tuple[int, list[float]]]) -> Rows:
    spans = [(3 * first + colour, 3 * (first + len(parts)), parts) for first, parts in columns for colour in range(3)]
    return [[sum(map(mul, parts, row[begin:end:3])) for begin, end, parts in spans] for row in rows]


def scale_down(rows: Rows, lines: list[tuple[int, list[float]]]) -> Rows:
    scaled = []
    for first, parts in lines:
        covered = rows[first : first + len(parts)]
        scaled.append([sum(map(mul, parts, column)) / 127.5 - 1 for column in zip(*covered)])
    return scaled

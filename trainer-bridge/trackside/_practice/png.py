"""PNG files, read and written by hand: the one picture format that needs nothing but the standard library."""

import struct
import zlib
from itertools import accumulate
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type: grey, RGB, palette, grey and alpha, RGBA


class PngError(Exception):
    """The file is not a PNG that can be read; the message says why."""


class InterlacedPng(PngError):
    """A whole PNG, but one whose rows are not stored in their order."""


def read_png_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises PngError."""
    if content[:8] != SIGNATURE or content[12:16] != b"IHDR" or len(content) < 33:
        raise PngError("this is not a PNG file")
    width, height = struct.unpack(">II", content[16:24])
    if width == 0 or height == 0:
        raise PngError("the picture has no pixels")
    return width, height


def decode_png(content: bytes) -> list[bytes]:
    """The picture as rows of 8-bit R, G, B bytes. Transparency is dropped, as PIL's convert("RGB") does.

    Reads grey, RGB and palette pictures of every depth, with alpha or without. Raises InterlacedPng, PngError.
    """
    width, height = read_png_size(content)
    depth, colour_type, _, _, interlaced = content[24:29]
    if colour_type not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise PngError("the header is broken")
    if interlaced:
        raise InterlacedPng("the picture is interlaced")
    chunks = read_chunks(content)
    bits_per_pixel = CHANNELS[colour_type] * depth
    try:
        data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    except zlib.error as cause:
        raise PngError(f"the picture data is broken ({cause})") from cause
    rows = unfilter(data, (width * bits_per_pixel + 7) // 8, height, max(1, bits_per_pixel // 8))
    palette = next((body for kind, body in chunks if kind == b"PLTE"), b"")
    if colour_type == 3 and not palette:
        raise PngError("the palette is missing")
    return [to_rgb(to_bytes(row, width, depth, colour_type), colour_type, palette) for row in rows]


def encode_png(width: int, height: int, rows: list[bytes]) -> bytes:
    """An RGB picture from rows of 8-bit R, G, B bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\x00" + row for row in rows), 9)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def write_png(path: Path, width: int, height: int, rows: list[bytes]) -> None:
    path.write_bytes(encode_png(width, height, rows))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def read_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks = []
    position = 8
    while position + 12 <= len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        kind = content[position + 4 : position + 8]
        body = content[position + 8 : position + 8 + length]
        if len(body) < length:
            raise PngError("the file is cut off")
        chunks.append((kind, body))
        if kind == b"IEND":
            return chunks
        position += 12 + length
    raise PngError("the file is cut off")


def unfilter(data: bytes, row_size: int, height: int, step: int) -> list[bytearray]:
    """Undoes the prediction of each row; `step` is the distance in bytes to the pixel on the left (PNG specification, 9.2)."""
    if len(data) < (row_size + 1) * height:
        raise PngError("the picture data is cut off")
    rows = []
    above = bytearray(row_size)
    for y in range(height):
        start = y * (row_size + 1)
        kind = data[start]
        row = bytearray(data[start + 1 : start + 1 + row_size])
        if kind == 1:
            for channel in range(step):
                row[channel::step] = bytes(value & 255 for value in accumulate(row[channel::step]))
        elif kind == 2:
            row = bytearray((value + up) & 255 for value, up in zip(row, above))
        elif kind == 3:
            for x in range(row_size):
                row[x] = (row[x] + ((row[x - step] if x >= step else 0) + above[x]) // 2) & 255
        elif kind == 4:
            undo_paeth(row, above, step)
        elif kind != 0:
            raise PngError("the picture data is broken (unknown filter)")
        rows.append(row)
        above = row
    return rows


def undo_paeth(row: bytearray, above: bytearray, step: int) -> None:
    for x in range(len(row)):
        left, up, corner = (row[x - step], above[x], above[x - step]) if x >= step else (0, above[x], 0)
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        nearest = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
        row[x] = (row[x] + nearest) & 255


def to_bytes(row: bytearray, width: int, depth: int, colour_type: int) -> bytes:
    if depth == 8:
        return bytes(row)
    if depth == 16:
        return bytes(row[::2])
    per_byte, top = 8 // depth, (1 << depth) - 1
    scale = 1 if colour_type == 3 else 255 // top
    values = [((byte >> (8 - depth * (i + 1))) & top) * scale for byte in row for i in range(per_byte)]
    return bytes(values[:width])


def to_rgb(row: bytes, colour_type: int, palette: bytes) -> bytes:
    if colour_type == 2:
        return row
    if colour_type == 3:
        colours = [palette[i : i + 3] for i in range(0, len(palette), 3)]
        if max(row) >= len(colours):
            raise PngError("a colour is missing in the palette")
        return b"".join(colours[index] for index in row)
    channels = CHANNELS[colour_type]
    red, green, blue = (0, 1, 2) if colour_type == 6 else (0, 0, 0)
    pixels = bytearray(len(row) // channels * 3)
    pixels[0::3], pixels[1::3], pixels[2::3] = row[red::channels], row[green::channels], row[blue::channels]
    return bytes(pixels)

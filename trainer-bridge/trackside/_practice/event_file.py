"""TensorBoard event files: TFRecords of a small protobuf message, flushed after every value."""

import argparse
import os
import socket
import struct
import time
from pathlib import Path

POLYNOMIAL = 0x82F63B78  # CRC-32C


def open_events(args: argparse.Namespace) -> "Events":
    """Starts this run's event file: <logging_dir>/<log_prefix><time>/network_train (train_util.py:5437, train_network.py:1279).

    Without --logging_dir nothing is written.
    """
    if args.logging_dir is None:
        return Events(None)
    folder = Path(args.logging_dir) / f"{args.log_prefix or ''}{time.strftime('%Y%m%d%H%M%S')}" / "network_train"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.0"
    return Events(folder / name)


class Events:
    """Writes scalars; with no path it keeps quiet."""

    def __init__(self, path: Path | None):
        self.file = None if path is None else open(path, "wb", buffering=0)
        writer = field(1, b"tensorboard.summary.writer.event_file_writer")
        self.write(field(3, b"brain.Event:2") + field(10, writer))

    def step(self, step: int, loss: float, average: float, learning_rate: float) -> None:
        """One point of each step tag, in the order of train_network.py:90-140."""
        tags = {"loss/current": loss, "loss/average": average}
        for tag in ("lr/textencoder", "lr/unet", "lr/group1"):
            tags[tag] = learning_rate
        for tag, value in tags.items():
            self.scalar(tag, value, step)

    def scalar(self, tag: str, value: float, step: int) -> None:
        point = field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
        self.write((b"\x10" + varint(step) if step else b"") + field(5, field(1, point)))

    def write(self, message: bytes) -> None:
        if self.file is None:
            return
        body = b"\x09" + struct.pack("<d", time.time()) + message
        length = struct.pack("<Q", len(body))
        self.file.write(length + masked_checksum(length) + body + masked_checksum(body))


def field(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(value: int) -> bytes:
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    return bytes([*result, value])


def masked_checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted as TFRecord wants it (tensorflow/core/lib/hash/crc32c.h)."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = TABLE[(checksum ^ byte) & 255] ^ checksum >> 8
    checksum ^= 0xFFFFFFFF
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def table_entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = [table_entry(value) for value in range(256)]

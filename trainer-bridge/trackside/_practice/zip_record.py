"""Records in torch.save's container: an uncompressed zip with one pickle of plain values and the arrays beside it."""

import io
import pickle
import zipfile
from array import array
from pathlib import Path

from trackside._attempt import regular

from .weights_file import LARGEST, from_little_endian, to_little_endian


def encode_record(name: str, values: object, arrays: list[array]) -> bytes:
    """The bytes of a record; `name` is the folder inside the zip, as torch.save names it after the file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as container:
        container.writestr(f"{name}/data.pkl", pickle.dumps(values, protocol=2))
        container.writestr(f"{name}/byteorder", "little")
        for number, floats in enumerate(arrays):
            container.writestr(f"{name}/data/{number}", to_little_endian(floats))
        container.writestr(f"{name}/version", "3\n")
    return buffer.getvalue()


def read_record(path: Path) -> tuple[dict, list[array]]:
    """Values and arrays of a record. Raises FileNotFoundError, RuntimeError in torch's words for a file that is cut off."""
    content = regular.read_bytes(path, LARGEST)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            name = container.namelist()[0].split("/")[0]
            values = PlainUnpickler(io.BytesIO(container.read(f"{name}/data.pkl"))).load()
            count = sum(entry.startswith(f"{name}/data/") for entry in container.namelist())
            return values, [from_little_endian(container.read(f"{name}/data/{number}")) for number in range(count)]
    except (zipfile.BadZipFile, KeyError, IndexError) as cause:
        raise RuntimeError(
            "PytorchStreamReader failed reading zip archive: failed finding central directory"
        ) from cause


class PlainUnpickler(pickle.Unpickler):
    """Reads numbers, texts and containers only: a pickle that asks for code is refused."""

    def find_class(self, module: str, name: str) -> object:
        raise pickle.UnpicklingError(
            f"Weights only load failed: {module}.{name} is not allowed in a practice trainer's state"
        )

"""State folders: the five files a run can be resumed from, in accelerate's write order (its checkpointing.py:101-170)."""

import json
import random
from pathlib import Path

from trackside._attempt import regular

from . import console
from .adamw import AdamW
from .lora import Lora, load_weights, weights_of
from .slow_machine import write_in_place
from .weights_file import encode_weights, read_weights
from .zip_record import encode_record, read_record


def save_state(folder: Path, epoch: int, step: int, lora: Lora, optimizer: AdamW, chance: random.Random) -> None:
    """Writes a state folder, in place, one file after the other.

    `epoch` counts from 1 over all runs, `step` from this run's start.
    """
    console.info(f"Saving current state to {folder}", "accelerator.py:3241")
    folder.mkdir(parents=True, exist_ok=True)
    train_state = folder / "train_state.json"
    console.info(f"save train state to {train_state} at epoch {epoch} step {step}", "train_network.py:946")
    write_in_place(train_state, json.dumps({"current_epoch": epoch, "current_step": step}).encode())

    def save(kind: str, name: str, content: bytes, source: str) -> None:
        write_in_place(folder / name, content)
        console.info(f"{kind} saved in {folder / name}", source)

    save(
        "Model weights", "model.safetensors", encode_weights(weights_of(lora), {"format": "pt"}), "checkpointing.py:108"
    )
    save("Optimizer state", "optimizer.bin", optimizer_record(optimizer), "checkpointing.py:115")
    scheduler = {"base_lrs": [optimizer.learning_rate], "last_epoch": optimizer.step}
    save("Scheduler state", "scheduler.bin", encode_record("scheduler", scheduler, []), "checkpointing.py:122")
    for number, name in enumerate(["sampler.bin", "sampler_1.bin"]):  # announced by accelerate, but never written
        console.info(f"Sampler state for dataloader {number} saved in {folder / name}", "checkpointing.py:139")
    states = encode_record("random_states_0", {"step": optimizer.step, "random_state": chance.getstate()}, [])
    save("Random states", "random_states_0.pkl", states, "checkpointing.py:170")


def load_state(folder: Path, lora: Lora, optimizer: AdamW, chance: random.Random) -> int | None:
    """Loads a state folder and returns its run-local step, None without train_state.json.

    Missing or broken random states are accepted, as accelerate does. Everything else that is missing or broken raises what
    sd-scripts ends with: ValueError, FileNotFoundError, SafetensorError, RuntimeError, json.JSONDecodeError.
    """
    console.info(f"resume training from local state: {folder}", "train_util.py:4777")
    folder = folder.expanduser()
    if not folder.is_dir():
        raise ValueError(f"Tried to find {folder} but folder does not exist")
    console.info(f"Loading states from {folder}", "accelerator.py:3390")
    step = read_train_state(folder / "train_state.json")
    model = folder / "model.safetensors"
    load_weights(lora, read_weights(model if model.exists() else folder / "pytorch_model.bin"))
    console.info("All model weights loaded successfully", "checkpointing.py:232")
    load_optimizer(folder / "optimizer.bin", optimizer)
    console.info("All optimizer states loaded successfully", "checkpointing.py:240")
    scheduler, _ = read_record(folder / "scheduler.bin")
    optimizer.learning_rate = scheduler["base_lrs"][0]
    console.info("All scheduler states loaded successfully", "checkpointing.py:248")
    console.info("All dataloader sampler states loaded successfully", "checkpointing.py:266")
    try:
        states, _ = read_record(folder / "random_states_0.pkl")
        chance.setstate(states["random_state"])
        console.info("All random states loaded successfully", "checkpointing.py:295")
    except Exception:  # whatever is wrong with them: accelerate goes on without, and says so
        console.info("Could not load random states", "checkpointing.py:297")
    console.info("Loading in 0 custom states", "accelerator.py:3478")
    return step


def read_train_state(path: Path) -> int | None:
    if not path.exists():
        return None
    content = json.loads(regular.read_text(path))
    console.info(f"load train state from {path}: {content}", "train_network.py:969")
    return content["current_step"]


def optimizer_record(optimizer: AdamW) -> bytes:
    values = {"step": optimizer.step, "lr": optimizer.learning_rate, "names": list(optimizer.means)}
    return encode_record("optimizer", values, [*optimizer.means.values(), *optimizer.squares.values()])


def load_optimizer(path: Path, optimizer: AdamW) -> None:
    values, arrays = read_record(path)
    count = len(values["names"])
    means, squares = dict(zip(values["names"], arrays[:count])), dict(zip(values["names"], arrays[count:]))
    if {name: len(mean) for name, mean in means.items()} != {name: len(mean) for name, mean in optimizer.means.items()}:
        raise ValueError(
            "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
        )
    optimizer.step, optimizer.learning_rate = values["step"], values["lr"]
    optimizer.means, optimizer.squares = means, squares

#!/usr/bin/env python3
"""Proves that a resumed training ends where an uninterrupted one does: kills the practice trainer with SIGKILL at random moments,
resumes it at its newest complete epoch state each time, and compares the final weights bit for bit."""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRAINER = ROOT / "trainer-bridge" / "practice_train_network.py"
PICTURES = ROOT / "trainer-bridge" / "example"
STATE_FILES = ["train_state.json", "model.safetensors", "optimizer.bin", "scheduler.bin", "random_states_0.pkl"]


STARTUP = 0.1  # seconds that a run needs before its first step, about


@dataclass
class Tally:
    """What happened on the way."""

    finals: list[dict[str, bytes]] = field(default_factory=list)  # the weights of every training that reached its end
    runs: int = 0
    kills: int = 0
    in_a_save: int = 0  # kills that left an incomplete state folder
    epochs: set[int] = field(default_factory=set)  # that were resumed at


def main() -> None:
    args = read_arguments()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"kills: {args.kills}, epochs: {args.epochs}, seed of the moments: {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="trackside-prove-") as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        config = write_dataset_config(Path(folder), args.repeats)
        duration = run_to_the_end(command(config, whole, args.epochs, None))
        expected = tensors(whole / "proof.safetensors")
        tally = train_with_kills(config, broken, args, random.Random(seed), duration / args.epochs)
    same = all(final == expected for final in tally.finals)
    digest = hashlib.sha256(b"".join(expected.values())).hexdigest()[:16]
    verdict = "bit for bit the same" if same else "DIFFERENT"
    print(
        f"{tally.kills} kills ({tally.in_a_save} in the middle of saving a state), resumed at {len(tally.epochs)} different epochs, "
        f"{tally.runs} runs, {len(tally.finals)} finished: final weights are {verdict} as uninterrupted "
        f"({len(expected)} tensors, sha256 {digest})"
    )
    sys.exit(0 if same else 1)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many times the trainer is killed (default: 50)")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of the training (default: 60)")
    parser.add_argument("--repeats", type=int, default=2, help="steps of an epoch, in tens (default: 2)")
    parser.add_argument("--seed", type=int, help="seed of the moments at which it is killed (default: random, printed)")
    return parser.parse_args()


def train_with_kills(
    config: Path, output: Path, args: argparse.Namespace, chance: random.Random, epoch_seconds: float
) -> Tally:
    """Kills and resumes until all kills are spent, then lets the training finish. If it finishes before, it starts anew.

    The moments are such that the kills spread over the whole training; a kill costs half an epoch on average.
    """
    tally = Tally()
    longest = 2 * epoch_seconds * (args.epochs / (args.kills + 1) + 0.5)
    while tally.kills < args.kills:
        state = resume_point(output, tally)
        if killed_after(command(config, output, args.epochs, state), STARTUP + chance.uniform(0, longest)):
            tally.kills += 1
            tally.in_a_save += any(not is_complete(folder) for folder in state_folders(output))
        else:
            tally.finals.append(tensors(output / "proof.safetensors"))
            shutil.rmtree(output)
    run_to_the_end(command(config, output, args.epochs, resume_point(output, tally)))
    tally.finals.append(tensors(output / "proof.safetensors"))
    return tally


def resume_point(output: Path, tally: Tally) -> Path | None:
    state = newest_state(output)
    tally.runs += 1
    tally.epochs |= {epoch_of(state)} - {0}
    return state


def command(config: Path, output: Path, epochs: int, state: Path | None) -> list[str]:
    argv = [
        sys.executable,
        str(TRAINER),
        "--dataset_config",
        str(config),
        "--output_dir",
        str(output),
        "--output_name",
        "proof",
    ]
    argv += [
        "--max_train_epochs",
        str(epochs),
        "--save_every_n_epochs",
        "1",
        "--save_state",
        "--seed",
        "7",
        "--learning_rate",
        "4e-3",
    ]
    return argv if state is None else [*argv, "--resume", str(state), "--initial_epoch", str(epoch_of(state) + 1)]


def run_to_the_end(argv: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    return time.monotonic() - started


def killed_after(argv: list[str], seconds: float) -> bool:
    """Whether SIGKILL came before the end of the run; a run that fails by itself ends the proof."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return True
    if process.returncode != 0:
        sys.exit(f"the trainer failed by itself:\n{errors.decode()[-2000:]}")
    return False


def environment() -> dict[str, str]:
    return {**os.environ, "PRACTICE_SAVE_SECONDS": "0.05"}  # a save long enough to be hit now and then


def newest_state(output: Path) -> Path | None:
    complete = [folder for folder in state_folders(output) if folder.name != "proof-state" and is_complete(folder)]
    return max(complete, key=lambda folder: (folder / STATE_FILES[-1]).stat().st_mtime_ns, default=None)


def state_folders(output: Path) -> list[Path]:
    return [folder for folder in output.glob("*-state") if re.fullmatch(r"proof(-\d{6})?-state", folder.name)]


def epoch_of(state: Path | None) -> int:
    return 0 if state is None else json.loads((state / "train_state.json").read_text())["current_epoch"]


def is_complete(folder: Path) -> bool:
    """All five files are whole, and were written in their order."""
    files = [folder / name for name in STATE_FILES]
    if not all(file.is_file() and file.stat().st_size > 0 for file in files):
        return False
    times = [file.stat().st_mtime_ns for file in files]
    zips = all(zipfile.is_zipfile(file) for file in files[2:])
    return times == sorted(times) and zips and is_json(files[0]) and is_weights_file(files[1])


def is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text()), dict)
    except ValueError:
        return False


def is_weights_file(file: Path) -> bool:
    content = file.read_bytes()
    if len(content) < 8 or len(content) < 8 + struct.unpack("<Q", content[:8])[0]:
        return False
    size, entries = weights_header(content)
    return 8 + size + max(entry["data_offsets"][1] for entry in entries.values()) == len(content)


def tensors(file: Path) -> dict[str, bytes]:
    """The bytes of every tensor of a weights file, without the metadata, in which times differ."""
    content = file.read_bytes()
    size, entries = weights_header(content)
    return {
        name: content[8 + size + entry["data_offsets"][0] : 8 + size + entry["data_offsets"][1]]
        for name, entry in sorted(entries.items())
    }


def weights_header(content: bytes) -> tuple[int, dict]:
    (size,) = struct.unpack("<Q", content[:8])
    entries = json.loads(content[8 : 8 + size])
    entries.pop("__metadata__", None)
    return size, entries


def write_dataset_config(folder: Path, repeats: int) -> Path:
    path = folder / "dataset.toml"
    path.write_text(
        f'[[datasets]]\nresolution = 32\n\n[[datasets.subsets]]\nimage_dir = "{PICTURES}"\n'
        f'caption_extension = ".txt"\nnum_repeats = {repeats}\n'
    )
    return path


if __name__ == "__main__":
    main()

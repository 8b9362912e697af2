#!/usr/bin/env python3
"""Proves exact pause: random chains of pauses (SIGTERM), kills (SIGKILL, also within a save) and resumes of the practice trainer.

    prove_pause.py --chains 200 [--seed N]

Each chain ends with the weights and every logged loss, bit for bit, of a run that nobody disturbed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRAINER = ROOT / "trainer-bridge" / "practice_train_network.py"
PICTURES = ROOT / "trainer-bridge" / "example"
STATE_FILES = ("train_state.json", "model.safetensors", "optimizer.bin", "scheduler.bin", "random_states_0.pkl")
PAUSED = 75
sys.path.insert(0, str(ROOT / "trainer-bridge"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randint(1, 10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    chance = random.Random(asked.seed)
    told = {"pauses": 0, "kills": 0, "in the middle of an epoch": 0, "unequal": 0}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "dataset.toml"
        config.write_text(
            f'[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = "{PICTURES}"\nflip_aug = true\n'
            'caption_dropout_rate = 0.1\ncaption_extension = ".txt"\n'
        )
        wholes: dict[tuple[str, ...], tuple[bytes, list[bytes]]] = {}
        for number in range(asked.chains):
            flags = (f"--max_train_epochs={asked.epochs}", *choose_flags(chance))
            if flags not in wholes:
                whole = Path(folder) / f"whole-{len(wholes)}"
                run(config, whole, flags, None).wait()
                wholes[flags] = result(whole)
            place = Path(folder) / f"chain-{number}"
            chain(config, place, flags, chance, told)
            (weights, losses), wanted = result(place), wholes[flags]
            if (weights, losses) != wanted:
                told["unequal"] += 1
                what = "weights" if weights != wanted[0] else f"losses ({len(losses)} of {len(wanted[1])})"
                print(f"UNEQUAL {what}: chain {number} with {' '.join(flags)}", flush=True)
            shutil.rmtree(place)
    print(f"{asked.chains} chains: {json.dumps(told)}")
    return 1 if told["unequal"] else 0


def choose_flags(chance: random.Random) -> tuple[str, ...]:
    together = chance.choice(["1", "1", "3"])
    saves = chance.choice([(), ("--save_every_n_steps=4",)])
    return (
        f"--gradient_accumulation_steps={together}",
        "--save_every_n_epochs=1",
        "--save_state",
        *saves,
    )


def run(
    config: Path, place: Path, flags: tuple[str, ...], resume: Path | None, **slow: str
) -> "subprocess.Popen[bytes]":
    """Its losses go into a folder of its own, beside how many batches were trained before."""
    place.mkdir(exist_ok=True)
    logs = place / "logs" / f"{len(list(place.glob('logs/*'))):03d}"
    logs.mkdir(parents=True)
    before = (
        0 if resume is None else (document(resume)["epoch"] - 1) * document(resume)["of"] + document(resume)["batches"]
    )
    (logs / "before").write_text(str(before))
    command = [sys.executable, str(TRAINER), f"--dataset_config={config}", f"--output_dir={place}", "--output_name=cat"]
    command += ["--seed=7", f"--logging_dir={logs}", "--exact_pause", *flags]
    command += [f"--resume={resume}", f"--initial_epoch={epoch_of(resume)}"] if resume else []
    with open(place / "log", "ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **slow})


def chain(config: Path, place: Path, flags: tuple[str, ...], chance: random.Random, told: dict[str, int]) -> None:
    resume = None
    for _ in range(chance.randint(1, 4)):
        slow = {"PRACTICE_STEP_SECONDS": "0.02", "PRACTICE_SAVE_SECONDS": chance.choice(["0", "0.1"])}
        process = run(config, place, flags, resume, **slow)
        wait_for_a_step(place, process)
        time.sleep(chance.random() * 0.5)
        kill = chance.random() < 0.4
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            if kill:  # at any moment of the pause, too
                time.sleep(chance.random() * 0.15)
                process.kill()
        code = process.wait()
        told["pauses"] += code == PAUSED
        told["kills"] += code == -signal.SIGKILL
        if code == 0:
            return
        resume = newest(place)
        told["in the middle of an epoch"] += bool(resume and 0 < document(resume)["batches"] < document(resume)["of"])
    code = run(config, place, flags, resume).wait()
    assert code == 0, (place / "log").read_text()[-2000:]
    assert not list(place.glob(".*")), "a killed pause left something"


def wait_for_a_step(place: Path, process: "subprocess.Popen[bytes]") -> None:
    seen = (place / "log").read_bytes().count(b"exact pause available")
    while process.poll() is None and (place / "log").read_bytes().count(b"exact pause available") == seen:
        time.sleep(0.005)


def newest(place: Path) -> Path | None:
    """The newest whole state that can be gone on with exactly, as Trackside takes it."""
    whole = [
        each
        for each in place.glob("cat*-state")
        if all((each / name).is_file() for name in STATE_FILES) and readable(each)
    ]
    return max(whole, key=lambda each: (document(each)["step"], document(each)["batches"]), default=None)


def readable(state: Path) -> bool:
    from trackside._exact import document as exact

    return exact.load(str(state)) is not None


def document(state: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((state / "exact_0.json").read_text())
    return found


def epoch_of(state: Path) -> int:
    return document(state)["epoch"]


def result(place: Path) -> tuple[bytes, list[bytes]]:
    """The bytes of the final weights, and the loss of every batch, as it was logged for the last time."""
    data = (place / "cat.safetensors").read_bytes()
    losses: list[bytes] = []
    for logs in sorted(place.glob("logs/*")):
        events = b"".join(file.read_bytes() for file in logs.glob("*/network_train/events*"))
        losses = [*losses[: int((logs / "before").read_text())], *logged(events)]
    return data[8 + int.from_bytes(data[:8], "little") :], losses


def logged(data: bytes) -> list[bytes]:
    """The messages of an event file with loss/current, each from its step on: without their times."""
    found, at = [], 0
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        record = data[at + 12 : at + 12 + length]
        at += 16 + length
        if len(record) == length and b"loss/current" in record:
            found.append(record[9:])
    return found


if __name__ == "__main__":
    sys.exit(main())

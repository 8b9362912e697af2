#!/usr/bin/env python3
"""How many instructions a step costs more under Trackside's starter: counted by valgrind, so no other load counts.

    python3 test/bench/exact/instructions.py [--steps 10 30] [--repeats 1] [--workers 0]      on the stand-in
    … --checkout sd-scripts --python sd-scripts/venv/bin/python                               on a real sd-scripts

The script alone and the same under the starter, each for two lengths of training, whose difference is that of the steps. One
process imports what all need and forks them. Under valgrind a step takes fifty times as long, but the thread that looks for
requests five times a second does not: it is counted by itself, for a second. Needs `apt-get install valgrind`.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BRIDGE = ROOT / "trainer-bridge"
STAND_IN = ROOT / "test" / "trainer-bridge" / "exact"
SMALL = ROOT / "test" / "sd-scripts"
PICTURES = BRIDGE / "example"
LOOKS_A_SECOND = 5
REAL = ",".join(
    [
        "torch.utils.tensorboard",
        "accelerate",
        "transformers.models.clip.modeling_clip",
        "transformers.models.clip.tokenization_clip",
        "diffusers.models.autoencoders.autoencoder_kl",
        "library.train_util",
        "networks.lora",
        "train_network",
    ]
)
ONE_THREAD = {
    "PYTHONHASHSEED": "0",
    "ACCELERATE_USE_CPU": "True",
    "ACCELERATE_MIXED_PRECISION": "no",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

# Its arguments: modules to import, separated by commas, and the arguments of each run, as JSON.
FORKS = """
import importlib, json, os, runpy, sys
modules, runs = sys.argv[1:]
for name in filter(None, modules.split(",")):
    importlib.import_module(name)
for argv in json.loads(runs):
    child = os.fork()
    if not child:
        sys.argv, sys.path[0] = argv, os.path.dirname(argv[0])
        runpy.run_path(argv[0], run_name="__main__")
        sys.exit()
    if os.waitpid(child, 0)[1]:
        sys.exit(f"ended with an error: {argv}")
    print("run", child, flush=True)
"""

LOOK = """
import sys
sys.path.insert(0, {bridge!r})
from trackside._attempt import regular
for _ in range(int(sys.argv[1])):
    try:
        regular.read_bytes("/nowhere/.attempt.json.ask", 65536)
    except OSError:
        pass
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs=2, default=(10, 30), metavar=("SHORT", "LONG"))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that load pictures")
    parser.add_argument("--checkout", type=Path, help="a real sd-scripts")
    parser.add_argument("--python", default=sys.executable, help="the one that runs it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepare = real if asked.checkout else stand_in
        script, flags, environment = prepare(place, asked)
        short, long = asked.steps
        starter = [str(BRIDGE / "trackside" / "exact.py"), "--cpu"]
        runs = [
            [*begin, str(script), f"--output_dir={place / f'run-{number}-{steps}'}", *flags, *length(asked, steps)]
            for number in range(asked.repeats)
            for begin in ([], starter)
            for steps in asked.steps
        ]
        modules = REAL if asked.checkout else ""
        counts = counted(asked.python, FORKS, [modules, json.dumps(runs)], environment, script.parent)
        steps = []
        for number in range(asked.repeats):
            a, b, c, d = counts[4 * number : 4 * number + 4]
            steps.append([(b - a) / (long - short), (d - c) / (long - short)])
            print(f"a step: {steps[-1][0]:,.0f} alone, {steps[-1][1]:,.0f} under the starter", flush=True)
        looks = look(place)
    alone, under = (statistics.median(column) for column in zip(*steps))
    print(f"more: {under - alone:,.0f} a step, {100 * (under / alone - 1):.3f} %")
    print(f"looking for requests: {looks:,.0f} instructions a second")
    return 0


def length(asked: argparse.Namespace, steps: int) -> list[str]:
    return [f"--max_train_steps={steps}"] if asked.checkout else [f"--pictures={steps}", "--max_train_epochs=1"]


def stand_in(place: Path, asked: argparse.Namespace) -> tuple[Path, list[str], dict[str, str]]:
    """Its steps do next to nothing, so only the difference says something."""
    packages = f"{STAND_IN / 'packages'}:{ROOT / '.cache' / 'python'}"
    return STAND_IN / "checkout" / "train_network.py", common(asked), {"PYTHONPATH": packages}


def real(place: Path, asked: argparse.Namespace) -> tuple[Path, list[str], dict[str, str]]:
    model, tokenizers, toml = place / "model", place / "tokenizers", place / "dataset.toml"
    subprocess.run([asked.python, str(SMALL / "smallModel.py"), str(model), str(tokenizers)], check=True)
    shutil.copytree(PICTURES, place / "pictures")
    toml.write_text(
        f'[[datasets]]\nresolution = 64\nbatch_size = 1\n[[datasets.subsets]]\nimage_dir = "{place / "pictures"}"\n'
        'caption_extension = ".txt"\nnum_repeats = 1\nshuffle_caption = true\n'
    )
    flags = [
        *common(asked),
        f"--pretrained_model_name_or_path={model}",
        f"--tokenizer_cache_dir={tokenizers}",
        f"--dataset_config={toml}",
        "--seed=42",
        "--network_module=networks.lora",
        "--network_dim=4",
        "--learning_rate=1e-3",
        "--cache_latents",
        "--save_model_as=safetensors",
        f"--logging_dir={place / 'logs'}",
        "--log_with=tensorboard",
        # rich draws from Python's generator, which the starter keeps from it: the two would train other captions.
        "--console_log_simple",
        "--mixed_precision=no",
    ]
    return asked.checkout / "train_network.py", flags, {"PYTHONPATH": str(SMALL / "small"), "HF_HUB_OFFLINE": "1"}


def common(asked: argparse.Namespace) -> list[str]:
    return [f"--max_data_loader_n_workers={asked.workers}", "--output_name=cat"]


def look(place: Path) -> float:
    """Instructions a second of the thread that looks for requests."""
    program = place / "look.py"
    program.write_text(LOOK.format(bridge=str(BRIDGE)))
    runs = json.dumps([[str(program), str(times)] for times in (10, 1010)])
    few, many = counted(sys.executable, FORKS, ["", runs], {}, place)
    return (many - few) / 1000 * LOOKS_A_SECOND


def counted(python: str, program: str, arguments: list[str], environment: dict[str, str], folder: Path) -> list[int]:
    """The instructions of each run that the program forks, those before it included."""
    done = subprocess.run(
        [
            "valgrind",
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
            python,
            "-c",
            program,
            *arguments,
        ],
        env={**os.environ, **ONE_THREAD, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        sys.exit(f"It ended with {done.returncode}:\n{done.stderr[-3000:]}{done.stdout[-1000:]}")
    counts = {
        process: int(count.replace(",", ""))
        for process, count in re.findall(r"==(\d+)== I\s+refs:\s+([\d,]+)", done.stderr)
    }
    return [counts[process] for process in re.findall(r"^run (\d+)$", done.stdout, re.M)]


if __name__ == "__main__":
    sys.exit(main())

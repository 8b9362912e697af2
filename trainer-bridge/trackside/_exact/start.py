"""Runs a script of sd-scripts in this process, with the flags of `accelerate launch` before it."""

from __future__ import annotations

import argparse
import os
import runpy
import sys

from trackside._attempt import contract
from trackside._exact.tell import tell


def main(given: list[str]) -> int:
    options = read_options(given)
    set_environment(options)
    if options.multi_gpu or options.num_processes > 1:
        tell(f"exact pause not available: {options.num_processes} processes train together")
        command = [sys.executable, "-m", "accelerate.commands.launch", *given]
        os.execv(sys.executable, command)
    sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    # Not before the environment is set: torch reads the number of its threads as it is imported.
    from trackside._exact import needs

    why = needs.before_script()
    if why:
        tell(f"exact pause not available: {why}")
        return run(options.script, options.arguments)
    return run_watched(options.script, options.arguments)


def run_watched(script: str, arguments: list[str]) -> int:
    from trackside._exact import document
    from trackside._exact.asks import Asks
    from trackside._exact.grace import Grace
    from trackside._exact.leave import end_workers, leave_unsaved
    from trackside._exact.resume import resumed_from, without_beginning
    from trackside._exact.training import Training

    folder, attempt = os.environ.get(contract.SESSION), os.environ.get(contract.MARK)
    state = resumed_from(arguments)
    given = document.load(state) if state else None

    asks = Asks(lambda: leave_unsaved(state))
    training = Training(asks, Grace(folder, attempt), state, given)
    training.hook()
    asks.listen(folder, attempt)
    if given:
        begun = (given["epoch"] - 1) * given["updates_per_epoch"]
        arguments = [*without_beginning(arguments), f"--initial_step={begun}"]
    try:
        return run(script, arguments)
    finally:
        end_workers()


def run(script: str, arguments: list[str]) -> int:
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
    return 0


def read_options(given: list[str]) -> argparse.Namespace:
    """Flags before the script are the launcher's, all after it are the script's own."""
    parser = argparse.ArgumentParser(prog="trackside.exact", allow_abbrev=False)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--multi_gpu", action="store_true")
    parser.add_argument("--num_processes", type=int, default=1)
    parser.add_argument("--num_machines", type=int, default=1)
    parser.add_argument("--mixed_precision", default="no")
    parser.add_argument("--dynamo_backend", default="no")
    parser.add_argument("--num_cpu_threads_per_process", type=int, default=1)
    parser.add_argument("--main_process_port", type=int)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(given)


def set_environment(options: argparse.Namespace) -> None:
    """As `accelerate launch` does for one process (accelerate utils/launch.py, prepare_simple_launcher_cmd_env)."""
    os.environ["ACCELERATE_USE_CPU"] = str(options.cpu)
    os.environ["ACCELERATE_MIXED_PRECISION"] = options.mixed_precision
    os.environ["ACCELERATE_DYNAMO_BACKEND"] = options.dynamo_backend.upper()
    os.environ["OMP_NUM_THREADS"] = str(options.num_cpu_threads_per_process)

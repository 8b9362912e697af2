"""Starts a script as a child process, or one for each GPU; what it is told by signals it does not hand on to a single child."""

import argparse
import os
import signal
import subprocess
import sys
import time


def main() -> None:
    args = read_arguments()
    command = [sys.executable, args.training_script, *args.training_script_args]
    if args.multi_gpu:
        launch_several(args, command)
    else:
        launch_one(args, command)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("accelerate launch", allow_abbrev=False)
    for switch in ["cpu", "multi_gpu", "quiet", "module", "no_python"]:
        parser.add_argument(f"--{switch}", action="store_true")
    for number in ["num_processes", "num_machines", "machine_rank", "num_cpu_threads_per_process", "main_process_port"]:
        parser.add_argument(f"--{number}", type=int)
    for text in ["gpu_ids", "config_file", "main_process_ip"]:
        parser.add_argument(f"--{text}")
    parser.add_argument("--mixed_precision", choices=["no", "fp16", "bf16", "fp8"])
    parser.add_argument("--dynamo_backend", choices=["no", "eager", "aot_eager", "inductor"])
    parser.add_argument("training_script")
    parser.add_argument("training_script_args", nargs=argparse.REMAINDER)
    return parser.parse_args()


def launch_one(args: argparse.Namespace, command: list[str]) -> None:
    """accelerate's simple_launcher: a signal that ends this process leaves the child alone, and training."""
    child = subprocess.Popen(command)
    child.wait()
    if child.returncode != 0:
        if args.quiet:
            sys.exit(1)
        raise subprocess.CalledProcessError(returncode=child.returncode, cmd=command)


def launch_several(args: argparse.Namespace, command: list[str]) -> None:
    """torchrun's agent: each worker in a session of its own, a SIGTERM is handed on, the first that fails ends all."""
    workers = [
        subprocess.Popen(command, start_new_session=True, env=environment(rank, args.num_processes))
        for rank in range(args.num_processes)
    ]

    def end_all(*_: object) -> None:
        for worker in workers:
            worker.terminate()

    signal.signal(signal.SIGTERM, lambda *_: (end_all(), sys.exit(143)))
    while workers[0].poll() is None and all(worker.poll() in (None, 0) for worker in workers):
        time.sleep(0.05)
    failed = next((worker.returncode for worker in workers if worker.returncode), 0)
    end_all()
    for worker in workers:
        worker.wait()
    if failed:
        raise ChildFailedError(f"{command[1]} FAILED (exitcode : {failed})")


class ChildFailedError(Exception):
    """As torch.distributed.elastic's."""


ChildFailedError.__module__ = "torch.distributed.elastic.multiprocessing.errors"


def environment(rank: int, count: int) -> dict[str, str]:
    return {**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}


if __name__ == "__main__":
    main()

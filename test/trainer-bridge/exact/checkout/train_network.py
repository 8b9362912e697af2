"""The loop of sd-scripts' train_network.py, with its local variables, on a model of two numbers."""

import argparse
import json
import math
import multiprocessing
import os
import random
import signal
import time

import numpy
import rich.style
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader


class Picture:
    def __init__(self, caption):
        self.caption, self.num_repeats = caption, 1


class Dataset:
    """Its epoch moves after the first load of an epoch, in the collator, as sd-scripts' does (train_util.py:6654)."""

    def __init__(self, count, seed):
        self.image_data = {f"{number}.png": Picture(f"a cat, {number}") for number in range(count)}
        self.order = list(range(count))
        self.seed, self.current_epoch, self.current_step, self.batch_size = seed, 0, 0, 1
        self.shuffle()

    def __len__(self):
        return len(self.order)

    def shuffle(self):
        random.seed(self.seed + self.current_epoch)
        random.shuffle(self.order)

    def set_current_epoch(self, epoch):
        for _ in range(epoch - self.current_epoch):
            self.current_epoch += 1
            self.shuffle()

    def __getitem__(self, index):
        return {
            "picture": self.order[index],
            "caption": random.random(),
            "crop": float(numpy.random.random()),
            "noise": torch.rand(),
        }


class Recorder:
    def __init__(self):
        self.loss_list, self.loss_total = [], 0.0

    def add(self, *, epoch, step, loss):
        if epoch == 0:
            self.loss_list.append(loss)
        else:
            while len(self.loss_list) <= step:
                self.loss_list.append(0.0)
            self.loss_total -= self.loss_list[step]
            self.loss_list[step] = loss
        self.loss_total += loss

    @property
    def moving_average(self):
        return self.loss_total / max(1, len(self.loss_list))


class Network:
    """As large as its one tensor says."""

    def parameters(self):
        yield self

    def numel(self):
        return 25_000_000

    def element_size(self):
        return 4


class Bar:
    def __init__(self, total):
        self.total, self.n, self.initial, self.last_print_n = total, 0, 0, 0

    def update(self, count):
        self.n += count

    def refresh(self):
        pass


class NetworkTrainer:
    def sample_images(self, accelerator, args, epoch, global_step, device, vae, tokenizers, text_encoder, unet):
        if args.sample_every_n_steps is None or epoch is not None or global_step % args.sample_every_n_steps:
            return
        for _ in range(20):
            time.sleep(args.sample_seconds / 20)
        with open(os.path.join(args.output_dir, f"sample_{global_step:06d}.png"), "w") as file:
            file.write("")

    def train(self, args):
        random.seed(args.seed)
        numpy.random.seed(args.seed)
        torch.manual_seed(args.seed)
        rich.style.link()
        os.makedirs(args.output_dir, exist_ok=True)
        time.sleep(args.loading_seconds)
        dataset = Dataset(args.pictures, random.randint(0, 2**31))
        current_epoch, current_step = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)

        def collator(examples):
            info = torch.utils.data.get_worker_info()
            loading = dataset if info is None else info.dataset
            loading.set_current_epoch(current_epoch.value)
            loading.current_step = current_step.value
            return examples[0]

        state = {"weights": [1.0, -1.0], "momentum": [0.0, 0.0]}
        accelerator = Accelerator(args.gradient_accumulation_steps)
        persistent = bool(args.max_data_loader_n_workers and args.persistent_data_loader_workers)
        plain = DataLoader(dataset, collator, args.max_data_loader_n_workers, persistent)
        train_dataloader = accelerator.prepare(plain, state)
        metadata = {"ss_session_id": str(os.getpid()), "ss_training_started_at": str(time.time())}
        network = Network()
        vae = text_encoder = unet = tokenizers = None

        def saved(folder):
            with open(os.path.join(folder, "train_state.json"), "w") as file:
                json.dump({"current_epoch": current_epoch.value, "current_step": current_step.value + 1}, file)

        accelerator.hooks.append(saved)
        if args.resume:
            accelerator.load_state(args.resume)
        num_update_steps_per_epoch = math.ceil(len(train_dataloader) / args.gradient_accumulation_steps)
        max_train_steps = args.max_train_epochs * num_update_steps_per_epoch
        initial_step = args.initial_step if args.initial_step is not None else 0
        if args.initial_epoch is not None and args.initial_step is None:
            initial_step = (args.initial_epoch - 1) * num_update_steps_per_epoch
        global_step = 0
        loss_recorder, val_step_loss_recorder, val_epoch_loss_recorder = Recorder(), Recorder(), Recorder()
        optimizer_eval_fn = optimizer_train_fn = lambda: None
        points = open(os.path.join(args.output_dir, "points.txt"), "a")

        def save_model(name, network, steps, epoch_no):
            with open(os.path.join(args.output_dir, name), "w") as file:
                json.dump({"state": state, "steps": steps, "epoch": epoch_no}, file)

        progress_bar = Bar(max_train_steps)
        gradient = [0.0, 0.0]
        for epoch in range(initial_step // num_update_steps_per_epoch, args.max_train_epochs):
            current_epoch.value = epoch + 1
            for step, batch in enumerate(train_dataloader):
                current_step.value = global_step
                with accelerator.accumulate():
                    noise = torch.rand() + batch["noise"] - batch["caption"] + random.random() * batch["crop"]
                    loss = abs(state["weights"][0] * (batch["picture"] + 1) - noise + state["weights"][1])
                    gradient = [gradient[0] + noise, gradient[1] + loss]
                    if accelerator.sync_gradients:
                        for index in range(2):
                            momentum = 0.9 * state["momentum"][index] + gradient[index]
                            state["momentum"][index] = momentum
                            state["weights"][index] -= 0.01 * momentum
                        gradient = [0.0, 0.0]
                time.sleep(args.step_seconds)
                if args.term_after and accelerator.sync_gradients and global_step + 1 == args.term_after:
                    os.kill(os.getpid(), signal.SIGTERM)
                if accelerator.sync_gradients:
                    progress_bar.update(1)
                    global_step += 1
                    self.sample_images(
                        accelerator, args, None, global_step, accelerator.device, vae, tokenizers, text_encoder, unet
                    )
                    if args.save_every_n_steps and global_step % args.save_every_n_steps == 0:
                        name = f"{args.output_name}-step{global_step:08d}"
                        save_model(f"{name}.safetensors", network, global_step, epoch)
                        if args.save_state:
                            accelerator.save_state(os.path.join(args.output_dir, f"{name}-state"))
                    if args.kill_after and global_step == args.kill_after:
                        os.kill(os.getpid(), signal.SIGKILL)
                loss_recorder.add(epoch=epoch, step=step, loss=loss)
                print(f"{global_step} {loss!r} {loss_recorder.moving_average!r}", file=points, flush=True)
                if global_step >= max_train_steps:
                    break
            if args.save_state and epoch + 1 < args.max_train_epochs:
                accelerator.save_state(os.path.join(args.output_dir, f"{args.output_name}-{epoch + 1:06d}-state"))
                rich.style.link()
        if args.save_state:
            accelerator.save_state(os.path.join(args.output_dir, f"{args.output_name}-state"))
        save_model(f"{args.output_name}.safetensors", network, global_step, args.max_train_epochs)
        for recorder in (val_step_loss_recorder, val_epoch_loss_recorder):
            assert not recorder.loss_list
        optimizer_eval_fn(), optimizer_train_fn()
        print(f"done, bar {progress_bar.n}/{progress_bar.total} metadata {sorted(metadata)}")


def setup_parser():
    parser = argparse.ArgumentParser()
    for name, default in {"seed": 42, "pictures": 7, "max_train_epochs": 3, "max_data_loader_n_workers": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in (
        "initial_epoch",
        "initial_step",
        "save_every_n_steps",
        "sample_every_n_steps",
        "sample_every_n_epochs",
    ):
        parser.add_argument(f"--{name}", type=int)
    for name in ("term_after", "kill_after"):
        parser.add_argument(f"--{name}", type=int, default=0)
    for name in ("step_seconds", "sample_seconds", "loading_seconds"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--gradient_accumulation_steps", type=int, default=1)
    for name in ("output_dir", "output_name", "resume", "sample_prompts", "save_model_as"):
        parser.add_argument(f"--{name}", default="safetensors" if name == "save_model_as" else None)
    for name in ("persistent_data_loader_workers", "save_state"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser


if __name__ == "__main__":
    NetworkTrainer().train(setup_parser().parse_args())

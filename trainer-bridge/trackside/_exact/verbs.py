"""What can be asked of a training between two steps: pause, save, sample, finish. None of them changes what is trained."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any, NoReturn

from trackside._exact import chance, folder
from trackside._exact.asks import Ask
from trackside._exact.leave import leave
from trackside._exact.tell import tell

if TYPE_CHECKING:
    from trackside._exact.training import Training

NEVER = 1 << 60  # epochs


class Verbs:
    def __init__(self, training: Training) -> None:
        self.training = training
        self.saving = False
        # The last state that is exact and on the disk, with its step.
        self._last: tuple[str, int] | None = None

    def do(self, ask: Ask) -> None:
        verbs = {"pause": self._pause, "save": self._save, "sample": self._sample, "finish": self._finish}
        before = chance.capture()
        try:
            verbs[ask.verb](ask)
        except Exception as error:  # a full disk, mostly: whatever it is, the training is worth more
            self.training.asks.could_not(ask, self._step(), _words(error))
        finally:
            chance.restore(before)

    def complete(self, path: str) -> None:
        """Makes a state exact that sd-scripts has saved by itself."""
        training = self.training
        try:
            if not os.path.isdir(path):
                return  # removed meanwhile, by its own limits
            training.write_document(path)
            self._last = (os.path.realpath(path), self._step())
            self._remove_superseded(path)
        except OSError as error:
            tell(f"{os.path.basename(path)} can only be gone on with plainly: {_words(error)}")

    def _pause(self, ask: Ask) -> NoReturn:
        path, size, seconds = self._save_state("pause")
        tell(f"paused at step {self._step()}: {path} ({size / 1e6:.1f} MB in {seconds:.2f} s)")
        for tracker in self.training.accelerator.trackers:
            with contextlib.suppress(Exception):
                tracker.writer.flush()
        leave()

    def _save(self, ask: Ask) -> None:
        path, size, seconds = self._save_state("save")
        names = ("args", "epoch", "network", "save_model", "optimizer_eval_fn", "optimizer_train_fn")
        args, epoch, network, save_model, to_eval, to_train = self.training.read(*names)
        step = self._step()
        name = f"{output_name(args)}-step{step:08d}.{args.save_model_as}"
        weights = os.path.join(args.output_dir, name)
        was_there = os.path.exists(weights)
        to_eval()
        try:
            save_model(name, self.training.accelerator.unwrap_model(network), step, epoch)
        except Exception:
            if not was_there:
                with contextlib.suppress(OSError):
                    os.unlink(weights)
            raise
        finally:
            to_train()
        tell(f"saved at step {step}: {path} ({size / 1e6:.1f} MB in {seconds:.2f} s)")

    def _sample(self, ask: Ask) -> None:
        training = self.training
        names = ("args", "vae", "tokenizers", "text_encoder", "unet", "optimizer_eval_fn", "optimizer_train_fn")
        args, vae, tokenizers, text_encoder, unet, to_eval, to_train = training.read(*names)
        kept = args.sample_every_n_steps, args.sample_every_n_epochs, args.sample_prompts
        prompts = _prompt_file(training, ask.prompts)
        if not (prompts or args.sample_prompts):
            tell("could not sample: the training was started without prompts. The training goes on")
            return
        accelerator, step = training.accelerator, self._step()
        to_eval()
        try:
            args.sample_every_n_steps, args.sample_every_n_epochs = 1, None
            args.sample_prompts = prompts or args.sample_prompts
            given = (accelerator, args, None, step, accelerator.device, vae, tokenizers, text_encoder, unet)
            if training.asks.uncut(lambda: training.draw(*given)):
                tell(f"sampled at step {step}")
        finally:
            args.sample_every_n_steps, args.sample_every_n_epochs, args.sample_prompts = kept
            to_train()
            if prompts:
                os.unlink(prompts)

    def _finish(self, ask: Ask) -> None:
        """The script saves its final weights as always, after epochs without a batch."""
        (args,) = self.training.read("args")
        args.save_every_n_epochs = args.sample_every_n_epochs = args.sample_every_n_steps = None
        args.validate_every_n_epochs = NEVER
        self.training.finishing = True
        tell(f"finishing at step {self._step()}")

    def _save_state(self, why: str) -> tuple[str, int, float]:
        """The state of this step, exact and on the disk; its bytes, and the seconds that took."""
        training = self.training
        began = time.monotonic()
        (args,) = training.read("args")
        path = os.path.join(args.output_dir, f"{output_name(args)}-step{self._step():08d}-state")
        if self._last == (os.path.realpath(path), self._step()):
            size = folder.settle(path)
        else:
            told = {**training.position.document(training), "made_for": why}
            self.saving = True
            try:
                size = folder.make(path, training.accelerator.save_state, lambda: told)
            finally:
                self.saving = False
            self._last = (os.path.realpath(path), self._step())
        seconds = time.monotonic() - began
        training.grace.saved(seconds)
        self._remove_superseded(path)
        return path, size, seconds

    def _remove_superseded(self, path: str) -> None:
        training = self.training
        if folder.remove_superseded(training.resumed_from, training.given, path):
            training.resumed_from = None

    def _step(self) -> int:
        return int(self.training.read("global_step")[0])


def _prompt_file(training: Training, prompts: str | None) -> str | None:
    """Other families encode their prompts as they start, and take no later ones."""
    if prompts is None or type(training.trainer).__name__ != "NetworkTrainer":
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", delete=False) as file:
        file.write(prompts)
    return file.name


def output_name(args: Any) -> str:
    return str(args.output_name or "at")


def _words(error: Exception) -> str:
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:300]

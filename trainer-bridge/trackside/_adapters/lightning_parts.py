"""A logger and a callback for Lightning."""

from __future__ import annotations

from typing import Any

try:
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.loggers.logger import Logger
except ModuleNotFoundError:
    from pytorch_lightning.callbacks import Callback
    from pytorch_lightning.loggers.logger import Logger

from trackside._track.run import Run
from trackside._track.track import track


class LightningLogger(Logger):  # type: ignore[misc]
    """Makes a Trainer's training a session; the callback of `callback()` adds Stop and states.

    >>> logger = trackside.LightningLogger("my-lora")
    >>> trainer = Trainer(logger=logger, callbacks=[logger.callback()])
    >>> trainer.fit(model, ckpt_path=logger.ckpt_path)

    `options` are those of `trackside.track`. Steps are Lightning's own, from 1.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        self._name, self._options = name, options
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The run, which begins when it is first asked for."""
        if self._run is None:
            self._run = track(self._name, **self._options)
            self._run._counts_from_1 = True
        return self._run

    experiment = run

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return str(self.run.folder or self._name)

    @property
    def save_dir(self) -> str | None:
        return self.run.folder

    @property
    def ckpt_path(self) -> str | None:
        """For `trainer.fit(ckpt_path=…)`; None at the beginning."""
        return f"{self.run.resume_from}/state.ckpt" if self.run.resume_from else None

    def callback(self) -> LightningCallback:
        return LightningCallback(self)

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        values = {name: value for name, value in metrics.items() if name != "epoch"}
        self.run.log(values, step=step, epoch=metrics.get("epoch"))

    def log_hyperparams(self, params: Any, *more: Any, **named: Any) -> None:
        self.run._record_config(params if isinstance(params, dict) else vars(params))

    def finalize(self, status: str) -> None:
        """Lightning says "failed" for Ctrl-C, too, and "success" for a SIGTERM: the callback and the end of the program
        know better."""


class LightningCallback(Callback):  # type: ignore[misc]
    """Saves states when they are due, stops when it is asked for, and tells how the training ended."""

    def __init__(self, logger: LightningLogger) -> None:
        self.logger = logger

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        total = trainer.max_steps if trainer.max_steps > 0 else trainer.estimated_stepping_batches
        whole = isinstance(total, int) or total == total // 1
        run = self.logger.run
        run.log(step=trainer.global_step, total=int(total) if whole and total > 0 else None, epochs=trainer.max_epochs)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        run = self.logger.run
        step = trainer.global_step
        if step != run.step:
            run.log(step=step, epoch=trainer.current_epoch)
        if run.should_save(step):
            # Every rank takes part; only the first one's folder is kept.
            with run.saving_state(step) as folder:
                trainer.save_checkpoint(f"{folder}/state.ckpt")
        if run.stop_requested:
            trainer.should_stop = True

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        run = self.logger.run
        run.finish(None if type(exception).__name__ == "SIGTERMException" and run.stop_requested else exception)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if type(trainer.state.status).__name__ and trainer.interrupted:
            self.logger.run.finish(KeyboardInterrupt())
        self.logger.run.finish()

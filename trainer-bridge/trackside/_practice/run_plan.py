"""How many steps and epochs a run has, and where a resumed one starts: sd-scripts' arithmetic, quirks included."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class RunPlan:
    batches_per_epoch: int
    steps_per_epoch: int  # optimizer steps
    max_train_steps: int  # the bar's total, also for a resumed run
    epochs: int


def plan_run(batches_per_epoch: int, accumulation: int, max_train_steps: int, max_train_epochs: int | None) -> RunPlan:
    """Steps and epochs of the whole run (train_network.py:800, :1010)."""
    steps_per_epoch = math.ceil(batches_per_epoch / accumulation)
    if max_train_epochs is not None:
        max_train_steps = max_train_epochs * steps_per_epoch
    return RunPlan(batches_per_epoch, steps_per_epoch, max_train_steps, math.ceil(max_train_steps / steps_per_epoch))


def first_epoch(plan: RunPlan, initial_epoch: int | None, step_of_state: int | None) -> int:
    """Index of the epoch to start with, 0 is the first (train_network.py:1232-1273).

    The step of a state counts from the start of its own run, so without --initial_epoch a second resume starts too early.
    Raises AssertionError when nothing is left to train.
    """
    initial_step = step_of_state or 0
    if initial_epoch is not None:
        initial_step = (initial_epoch - 1) * plan.steps_per_epoch
    if initial_step > 0:
        assert plan.max_train_steps > initial_step, (
            "max_train_steps should be greater than initial step / max_train_stepsは初期ステップより大きい必要があります: "
            f"{plan.max_train_steps} vs {initial_step}"
        )
    return initial_step // plan.steps_per_epoch


class LossAverage:
    """Mean loss of the last epoch's worth of batches; grows anew after a resume (train_util.py:6668)."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.total = 0.0

    def add(self, epoch: int, batch: int, loss: float) -> float:
        """Takes the loss of one batch (both counted from 0) and answers the mean."""
        if epoch == 0:
            self.losses.append(loss)
        else:
            while len(self.losses) <= batch:
                self.losses.append(0.0)
            self.total -= self.losses[batch]
            self.losses[batch] = loss
        self.total += loss
        return self.mean()

    def mean(self) -> float:
        return self.total / len(self.losses)


STEPS_IGNORED = (
    "steps from the state is ignored because initial_step is specified / "
    "initial_stepが指定されているため、stateからのステップ数は無視されます"
)

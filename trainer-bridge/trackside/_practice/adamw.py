"""AdamW with torch's defaults. Its state is in 32-bit floats, so a stored state is exactly the running one."""

from array import array
from dataclasses import dataclass, field

from .gradient import Gradient
from .lora import Tensor

BETA1, BETA2 = 0.9, 0.999
EPSILON = 1e-8
WEIGHT_DECAY = 0.01


@dataclass
class AdamW:
    learning_rate: float
    step: int = 0  # over all runs, unlike a run's own step
    means: dict[str, array] = field(default_factory=dict)
    squares: dict[str, array] = field(default_factory=dict)


def new_adamw(learning_rate: float, tensors: dict[str, Tensor]) -> AdamW:
    """A fresh optimizer."""
    zeros = {name: array("f", bytes(4 * len(tensor.values))) for name, tensor in tensors.items()}
    return AdamW(learning_rate, 0, dict(zeros), dict(zeros))


def update(optimizer: AdamW, tensors: dict[str, Tensor], gradient: Gradient) -> None:
    """One optimizer step on all tensors."""
    optimizer.step += 1
    correction1 = 1 - BETA1**optimizer.step
    correction2 = (1 - BETA2**optimizer.step) ** 0.5
    rate = optimizer.learning_rate / correction1
    keep = 1 - optimizer.learning_rate * WEIGHT_DECAY
    for name, tensor in tensors.items():
        slope = gradient[name]
        mean = array("f", [BETA1 * m + (1 - BETA1) * g for m, g in zip(optimizer.means[name], slope)])
        square = array("f", [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(optimizer.squares[name], slope)])
        tensor.values = array(
            "f",
            [keep * p - rate * m / (v**0.5 / correction2 + EPSILON) for p, m, v in zip(tensor.values, mean, square)],
        )
        optimizer.means[name] = mean
        optimizer.squares[name] = square

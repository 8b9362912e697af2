"""The LoRA: for each adapted layer a down and an up matrix, scaled by alpha/rank (networks/lora.py:935-1089)."""

import math
import random
from array import array
from dataclasses import dataclass

PATCH_LAYER = "lora_unet_patch"
CAPTION_LAYER = "lora_te_caption"


@dataclass
class Tensor:
    """32-bit floats in row order, in memory and in files, so that a resumed run repeats every bit."""

    shape: tuple[int, ...]
    values: array

    def rows(self) -> list[list[float]]:
        width = self.shape[1]
        return [self.values[start : start + width].tolist() for start in range(0, len(self.values), width)]


@dataclass
class Lora:
    rank: int
    alpha: float
    tensors: dict[str, Tensor]  # trained; by their names in the weights file

    def scale(self) -> float:
        return self.alpha / self.rank


def new_lora(rank: int, alpha: float, inputs: dict[str, int], outputs: int, chance: random.Random) -> Lora:
    """A LoRA that changes nothing yet: up is zero, down is Kaiming uniform. `inputs` holds the input size of each layer."""
    tensors = {}
    for layer, size in inputs.items():
        bound = 1 / math.sqrt(size)
        down = [chance.uniform(-bound, bound) for _ in range(rank * size)]
        tensors[f"{layer}.lora_down.weight"] = Tensor((rank, size), array("f", down))
        tensors[f"{layer}.lora_up.weight"] = Tensor((outputs, rank), array("f", bytes(4 * outputs * rank)))
    return Lora(rank, alpha, tensors)


def weights_of(lora: Lora) -> dict[str, Tensor]:
    """The content of a weights file: the trained tensors, and each layer's alpha."""
    alphas = {name.split(".")[0] + ".alpha": Tensor((), array("f", [lora.alpha])) for name in lora.tensors}
    return {**lora.tensors, **alphas}


def load_weights(lora: Lora, weights: dict[str, Tensor]) -> None:
    """Takes the weights over. Raises RuntimeError in torch's words when names or shapes differ."""
    problems = []
    for name, own in weights_of(lora).items():
        found = weights.get(name)
        if found is None:
            problems.append(f"Missing key(s) in state_dict: {name}. ")
        elif found.shape != own.shape:
            problems.append(
                f"size mismatch for {name}: copying a param with shape torch.Size({list(found.shape)}) from checkpoint, "
                f"the shape in current model is torch.Size({list(own.shape)})."
            )
    if problems:
        raise RuntimeError(
            "Error(s) in loading state_dict for LoRANetwork:" + "".join(f"\n\t{problem}" for problem in problems)
        )
    lora.alpha = weights[f"{PATCH_LAYER}.alpha"].values[0]
    for name, tensor in lora.tensors.items():
        tensor.values = weights[name].values

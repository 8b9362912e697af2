"""A real LoRA in PyTorch: adapters of rank 4 on a small frozen network, which learns to sharpen blurred shapes.

Its state holds weights, optimizer, and the random generators; so a run that was killed and resumed, as often as you like,
ends with the same weights, bit for bit, as one that never was.

    pip install trackside torch
    python torch_lora.py            # and, in another terminal: trackside serve
"""

import argparse
import hashlib

import torch
import trackside
from torch import nn


class LoraConv(nn.Module):
    """A frozen convolution with a trainable detour of low rank."""

    def __init__(self, frozen: nn.Conv2d, rank: int) -> None:
        super().__init__()
        self.frozen = frozen.requires_grad_(False)
        self.down = nn.Conv2d(frozen.in_channels, rank, 3, padding=1, bias=False)
        self.up = nn.Conv2d(rank, frozen.out_channels, 1, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.frozen(x) + self.up(self.down(x))


def base_model() -> nn.Sequential:
    """Stands for a model that somebody trained: the same weights each time."""
    torch.manual_seed(7)
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(16, 1, 3, padding=1))


def with_lora(model: nn.Sequential, rank: int) -> nn.Sequential:
    torch.manual_seed(8)
    return nn.Sequential(*(LoraConv(layer, rank) if isinstance(layer, nn.Conv2d) else layer for layer in model))


def batch(size: int = 8, side: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """Random rectangles, blurred and sharp: (size, 1, side, side), from 0 to 1."""
    sharp = torch.zeros(size, 1, side, side)
    for picture in sharp:
        top, left, height, width = (int(value) for value in torch.randint(2, side // 2, (4,)))
        picture[:, top : top + height, left : left + width] = 1
    blurred = nn.functional.avg_pool2d(sharp, 5, stride=1, padding=2)
    return blurred, sharp


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--save-every", type=int, default=20)
    parser.add_argument("--name", default="torch-lora")
    args = parser.parse_args()

    torch.set_num_threads(1)  # sums in one order: the same bits on every run
    model = with_lora(base_model(), args.rank)
    adapters = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    optimizer = torch.optim.AdamW(adapters.values(), lr=args.lr)
    torch.manual_seed(9)

    with trackside.track(args.name, config=args, total=args.steps, save_every=args.save_every, keep=3) as run:
        if run.resume_from:
            state = torch.load(f"{run.resume_from}/state.pt", weights_only=True)
            model.load_state_dict(state["lora"], strict=False)
            optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"])

        for step in range(run.first_step, args.steps):
            blurred, sharp = batch()
            loss = nn.functional.mse_loss(model(blurred), sharp)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            run.log(step=step, loss=loss, lr=args.lr)
            if run.should_save(step):
                random = torch.get_rng_state()
                with run.saving_state(step) as folder:
                    state = {"lora": adapters, "optimizer": optimizer.state_dict(), "random": random}
                    torch.save(state, f"{folder}/state.pt")
                picture = torch.cat([blurred[0], model(blurred)[0], sharp[0]], dim=2).detach().clamp(0, 1)
                run.sample(picture, prompt="blurred, sharpened, sharp", step=step)
            if run.stop_requested:
                return

        torch.save(adapters, f"{args.name}.pt")
        run.checkpoint(f"{args.name}.pt")
        digest = hashlib.sha256(b"".join(weight.detach().numpy().tobytes() for weight in adapters.values()))
        run.summary["sha256"] = digest.hexdigest()
        print(f"weights {digest.hexdigest()}")


if __name__ == "__main__":
    main()

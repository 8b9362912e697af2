"""Trains a line over as many processes as there are, and writes what each of them ended with."""

import argparse
import os
import socket

import torch
import torch.distributed as dist

parser = argparse.ArgumentParser()
parser.add_argument("--output_dir", default=".")
parser.add_argument("--steps", type=int, default=5)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.manual_seed(dist.get_rank())
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(options.steps):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
weights = [round(value, 6) for value in torch.cat([each.flatten() for each in model.parameters()]).tolist()]
with open(os.path.join(options.output_dir, f"rank-{dist.get_rank()}.txt"), "w", encoding="utf-8") as file:
    file.write(f"{socket.gethostname()} of {dist.get_world_size()}: {weights}\n")
dist.destroy_process_group()

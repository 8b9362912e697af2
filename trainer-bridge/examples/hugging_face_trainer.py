"""The Trainer of transformers with one callback: a tiny GPT learns to count, on a CPU, in less than a minute.

pip install trackside transformers torch accelerate
python hugging_face_trainer.py  # and, in another terminal: trackside serve
"""

import argparse
import hashlib
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded

import torch
import trackside
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments


class Counting(torch.utils.data.Dataset):
    """Rows of ascending numbers: 5 6 7 8 …"""

    def __len__(self) -> int:
        return 256

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = (torch.arange(16) + index) % 64
        return {"input_ids": row, "labels": row}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--name", default="hugging-face")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=16, n_embd=32, n_layer=2, n_head=2))

    callback = trackside.TransformersCallback(args.name, keep=2)
    training = TrainingArguments(
        output_dir=f"{args.name}-checkpoints",
        max_steps=args.steps,
        per_device_train_batch_size=8,
        learning_rate=1e-3,
        logging_steps=5,
        save_steps=10,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = Trainer(model=model, args=training, train_dataset=Counting(), callbacks=[callback])
    trainer.train(resume_from_checkpoint=callback.resume_from)
    weights = b"".join(weight.detach().numpy().tobytes() for weight in model.parameters())
    print(f"weights {hashlib.sha256(weights).hexdigest()}")


if __name__ == "__main__":
    main()

"""Makes a randomly initialised, very small SD 1 model and its tokenizer, so that a real sd-scripts trains on a CPU without
any hub.

    python smallModel.py MODEL_DIR TOKENIZER_DIR

MODEL_DIR becomes a diffusers folder for --pretrained_model_name_or_path, TOKENIZER_DIR what --tokenizer_cache_dir takes.
The U-Net is narrower than sd-scripts' own constants say: `small/sitecustomize.py` on PYTHONPATH changes these for a run.
"""

import argparse
import json
from pathlib import Path

from small.widths import CHANNELS

HIDDEN = 64
END = "<|endoftext|>"
START = "<|startoftext|>"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("tokenizers", type=Path)
    args = parser.parse_args()
    tokenizer = write_tokenizer(args.tokenizers / "openai_clip-vit-large-patch14")
    write_model(args.model, tokenizer)


def write_tokenizer(folder: Path):
    """A CLIP tokenizer that knows single letters only: what it says to a random model matters to nobody."""
    from transformers import CLIPTokenizer

    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(
        json.dumps({word: number for number, word in enumerate(words)}), encoding="utf-8"
    )
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        unk_token=END,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        model_max_length=77,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def byte_letters() -> list[str]:
    """The printable letters by which CLIP's tokenizer writes the 256 bytes (OpenAI's CLIP, simple_tokenizer.py)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = 256 - len(printable)
    return [chr(code) for code in [*printable, *range(256, 256 + others)]]


def write_model(folder: Path, tokenizer) -> None:
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=HIDDEN,
            intermediate_size=2 * HIDDEN,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            projection_dim=HIDDEN,
        )
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32,) * 4,
        latent_channels=4,
        norm_num_groups=32,
        sample_size=64,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        layers_per_block=2,
        block_out_channels=CHANNELS,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        cross_attention_dim=HIDDEN,
        attention_head_dim=8,
    )
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)


if __name__ == "__main__":
    main()

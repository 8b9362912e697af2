"""Prompt files: .txt with one prompt a line, .toml or .json (train_util.py:6254-6330)."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from trackside._attempt import regular

from .dataset_config import parse_toml

OPTIONS = {
    "w": ("width", int),
    "h": ("height", int),
    "d": ("seed", int),
    "s": ("sample_steps", int),
    "l": ("scale", float),
    "n": ("negative_prompt", str),
    "ss": ("sample_sampler", str),
}


@dataclass(frozen=True)
class Prompt:
    """One sample to draw. Width and height in pixels; without a seed every drawing starts from other noise."""

    prompt: str = ""
    negative_prompt: str | None = None
    width: int = 512
    height: int = 512
    sample_steps: int = 30
    scale: float = 7.5
    sample_sampler: str = "ddim"
    seed: int | None = None


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file in their order. Raises ValueError for another kind of file."""
    if path.suffix == ".txt":
        lines = [line.strip() for line in regular.read_text(path).splitlines()]
        return [parse_line(line) for line in lines if line and not line.startswith("#")]
    if path.suffix == ".toml":
        common = parse_toml(path).get("prompt", {})
        subsets = common.pop("subset", [])
        return [from_table({**common, **subset}) for subset in subsets]
    if path.suffix == ".json":
        entries = json.loads(regular.read_text(path))
        return [parse_line(entry) if isinstance(entry, str) else from_table(entry) for entry in entries]
    raise ValueError(f"the prompt file must end in .txt, .toml or .json: {path}")


def parse_line(line: str) -> Prompt:
    """Reads `a cat --n low quality --w 64 --h 64 --d 42 --s 2 --l 7.5`; unknown options are ignored."""
    prompt, *options = line.split(" --")
    table: dict = {"prompt": prompt}
    for option in options:
        match = re.match(r"([a-z]+) (.+)", option.strip(), re.IGNORECASE)
        if match and match[1].lower() in OPTIONS:
            name, kind = OPTIONS[match[1].lower()]
            try:
                table[name] = kind(match[2].strip())
            except ValueError:
                continue
    return from_table(table)


def from_table(table: dict) -> Prompt:
    known = {name: value for name, value in table.items() if name in Prompt.__dataclass_fields__ and value is not None}
    return Prompt(**known)

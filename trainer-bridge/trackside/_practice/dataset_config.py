"""dataset.toml: read, checked and completed with defaults as library/config_util.py does it."""

from dataclasses import dataclass
from pathlib import Path

from trackside._attempt import regular

NUMBER = (int, float)

DATASET_KEYS = {
    "batch_size": int,
    "resolution": (int, list),
    "enable_bucket": bool,
    "min_bucket_reso": int,
    "max_bucket_reso": int,
    "bucket_reso_steps": int,
    "bucket_no_upscale": bool,
    "validation_seed": int,
    "validation_split": float,
    "network_multiplier": float,
    "resize_interpolation": str,
}
SUBSET_KEYS = {
    "num_repeats": int,
    "shuffle_caption": bool,
    "caption_separator": str,
    "keep_tokens": int,
    "keep_tokens_separator": str,
    "secondary_separator": str,
    "enable_wildcard": bool,
    "color_aug": bool,
    "flip_aug": bool,
    "face_crop_aug_range": list,
    "random_crop": bool,
    "caption_prefix": str,
    "caption_suffix": str,
    "token_warmup_min": int,
    "token_warmup_step": NUMBER,
    "custom_attributes": dict,
    "resize_interpolation": str,
    "caption_dropout_rate": NUMBER,
    "caption_dropout_every_n_epochs": int,
    "caption_tag_dropout_rate": NUMBER,
    "caption_extension": str,
    "class_tokens": str,
    "cache_info": bool,
}
ONLY_IN_SUBSETS = {"image_dir": str, "is_reg": bool, "alpha_mask": bool}


class MultipleInvalid(Exception):
    """A key or a value that does not belong there, in the words of voluptuous, which sd-scripts uses."""


@dataclass(frozen=True)
class SubsetConfig:
    image_dir: str
    settings: dict  # every key of SUBSET_KEYS that was given, here or above


@dataclass(frozen=True)
class DatasetConfig:
    resolution: tuple[int, int]  # width, height in pixels
    batch_size: int
    enable_bucket: bool
    min_bucket_reso: int
    max_bucket_reso: int
    bucket_reso_steps: int
    bucket_no_upscale: bool
    subsets: list[SubsetConfig]


def read_dataset_config(path: Path) -> list[DatasetConfig]:
    """The datasets of a dataset.toml.

    Raises ValueError (no such file, not a .toml), tomllib.TOMLDecodeError, or MultipleInvalid, which names the wrong key.
    """
    if not path.is_file():
        raise ValueError(f"file not found / ファイルが見つかりません: {path}")
    if path.suffix.lower() != ".toml":
        raise ValueError(f"not supported config file format / 対応していない設定ファイルの形式です: {path}")
    content = parse_toml(path)
    check(content)
    general = content.get("general", {})
    return [complete(dataset, general) for dataset in content.get("datasets", [])]


def parse_toml(path: Path) -> dict:
    """Reads any TOML file. Raises ModuleNotFoundError with advice on Python 3.10, where no TOML reader is built in."""
    try:
        import tomllib
    except ModuleNotFoundError:
        try:
            import tomli as tomllib
        except ModuleNotFoundError as cause:
            raise ModuleNotFoundError(
                f"{path}: reading TOML needs Python 3.11 or newer, or the package tomli (python3 -m pip install tomli)"
            ) from cause
    return tomllib.loads(regular.read_text(path))


def check(content: dict) -> None:
    check_keys(content, {"general": dict, "datasets": list}, "data")
    check_keys(content.get("general", {}), {**DATASET_KEYS, **SUBSET_KEYS}, "data['general']")
    for d, dataset in enumerate(content.get("datasets", [])):
        where = f"data['datasets'][{d}]"
        check_keys(dataset, {**DATASET_KEYS, **SUBSET_KEYS, "subsets": list}, where)
        for s, subset in enumerate(dataset.get("subsets", [])):
            place = f"{where}['subsets'][{s}]"
            check_keys(subset, {**SUBSET_KEYS, **ONLY_IN_SUBSETS}, place)
            if "image_dir" not in subset:
                raise MultipleInvalid(f"required key not provided @ {place}['image_dir']")
            if subset.get("is_reg"):
                raise MultipleInvalid(f"the practice trainer uses no regularization pictures @ {place}['is_reg']")


def check_keys(table: dict, allowed: dict, where: str) -> None:
    for key, value in table.items():
        place = f"{where}['{key}']"
        if key not in allowed:
            raise MultipleInvalid(f"extra keys not allowed @ {place}")
        kinds = allowed[key] if isinstance(allowed[key], tuple) else (allowed[key],)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise MultipleInvalid(
                f"expected {' or '.join(kind.__name__ for kind in kinds)} for dictionary value @ {place}"
            )
        if key in ("batch_size", "num_repeats", "bucket_reso_steps") and value < 1:
            raise MultipleInvalid(f"value must be at least 1 for dictionary value @ {place}")
        if key == "resolution":
            check_resolution(value, place)


def check_resolution(value: int | list, place: str) -> None:
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2 or not all(type(side) is int and side >= 4 for side in sides):
        raise MultipleInvalid(f"expected one or two whole numbers of pixels, 4 or more, @ {place}")


def complete(dataset: dict, general: dict) -> DatasetConfig:
    """Looks every value up in the order subset, dataset, general, default (config_util.py:439)."""
    own = {**general, **dataset}
    resolution = own.get("resolution", 512)
    width, height = resolution if isinstance(resolution, list) else (resolution, resolution)
    subsets = []
    for subset in dataset.get("subsets", []):
        merged = {**own, **subset}
        subsets.append(SubsetConfig(subset["image_dir"], {key: merged[key] for key in SUBSET_KEYS if key in merged}))
    return DatasetConfig(
        resolution=(width, height),
        batch_size=own.get("batch_size", 1),
        enable_bucket=own.get("enable_bucket", False),
        min_bucket_reso=min(own.get("min_bucket_reso", 256), width, height),
        max_bucket_reso=max(own.get("max_bucket_reso", 1024), width, height),
        bucket_reso_steps=own.get("bucket_reso_steps", 64),
        bucket_no_upscale=own.get("bucket_no_upscale", False),
        subsets=subsets,
    )

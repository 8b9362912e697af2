"""The pictures and captions of all datasets, and the batches of an epoch."""

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from trackside._attempt import regular

from . import console
from .bar import Bar
from .buckets import Size, bucket_of
from .dataset_config import DatasetConfig, SubsetConfig
from .pictures import SUFFIXES, Rows, load_picture, picture_size


@dataclass
class Picture:
    path: Path
    caption: str
    repeats: int
    flip: bool
    caption_dropout: float
    bucket: Size = (0, 0)
    rows: Rows = field(default_factory=list)  # read by load_pictures


@dataclass(frozen=True)
class Example:
    rows: Rows
    caption: str


@dataclass(frozen=True)
class Dataset:
    config: DatasetConfig
    subsets: list[tuple[SubsetConfig, list[Picture]]]  # subsets without a picture are left out

    def pictures(self) -> list[Picture]:
        return [picture for _, pictures in self.subsets for picture in pictures]

    def buckets(self) -> dict[Size, int]:
        """Pictures, counted with repeats, of each training size."""
        counts: dict[Size, int] = {}
        for picture in sorted(self.pictures(), key=lambda picture: picture.bucket):
            counts[picture.bucket] = counts.get(picture.bucket, 0) + picture.repeats
        return counts

    def length(self) -> int:
        """Pictures of one epoch, repeats counted."""
        return sum(picture.repeats for picture in self.pictures())

    def batches(self) -> int:
        return sum(math.ceil(count / self.config.batch_size) for count in self.buckets().values())


def find_pictures(configs: list[DatasetConfig]) -> list[Dataset]:
    """Looks for pictures and captions, chooses training sizes, and tells the console what it finds. Reads no picture.

    Raises AssertionError for an empty caption file, UnicodeDecodeError, PictureError.
    """
    datasets = [Dataset(config, find_subsets(config)) for config in configs]
    for number, dataset in enumerate(datasets):
        console.info(describe(number, dataset), "config_util.py:580")
    for number, dataset in enumerate(datasets):
        console.info(f"[Prepare dataset {number}]", "config_util.py:592")
        choose_buckets(dataset)
    return datasets


def load_pictures(datasets: list[Dataset]) -> None:
    """Reads every picture at its training size. Raises PictureError."""
    for number, dataset in enumerate(datasets):
        console.info(f"[Dataset {number}]", "train_util.py:2627")
        console.info("caching latents...", "train_util.py:1170")
        bar = Bar(len(dataset.pictures()))
        for picture in dataset.pictures():
            picture.rows = load_picture(picture.path, *picture.bucket)
            bar.advance()
        bar.close()


def epoch_batches(datasets: list[Dataset], seed: int, epoch: int) -> list[list[Example]]:
    """The batches of one epoch (1 is the first) in their order, which depends on seed + epoch alone (config_util.py:589)."""
    shuffle = random.Random(seed + epoch)
    batches = []
    for dataset in datasets:
        size = dataset.config.batch_size
        for bucket in dataset.buckets():
            pictures = [p for p in dataset.pictures() if p.bucket == bucket for _ in range(p.repeats)]
            shuffle.shuffle(pictures)
            batches += [pictures[start : start + size] for start in range(0, len(pictures), size)]
    shuffle.shuffle(batches)
    return [[example(picture, shuffle) for picture in batch] for batch in batches]


def example(picture: Picture, chance: random.Random) -> Example:
    caption = "" if chance.random() < picture.caption_dropout else picture.caption
    rows = picture.rows
    if picture.flip and chance.random() < 0.5:
        rows = [[value for x in range(len(row) - 3, -1, -3) for value in row[x : x + 3]] for row in rows]
    return Example(rows, caption)


def find_subsets(config: DatasetConfig) -> list[tuple[SubsetConfig, list[Picture]]]:
    console.info("prepare images.", "train_util.py:2112")
    subsets = []
    for subset in config.subsets:
        pictures = find_subset(subset)
        if pictures:
            subsets.append((subset, pictures))
        else:
            console.warning(
                f"ignore subset with image_dir='{subset.image_dir}': no images found / 画像が見つからないためサブセットを無視します",
                "train_util.py:2132",
            )
    count = sum(picture.repeats for _, pictures in subsets for picture in pictures)
    console.info(f"{count} train images with repeats.", "train_util.py:2158")
    console.info("0 reg images with repeats.", "train_util.py:2162")
    console.warning("no regularization images / 正則化画像が見つかりませんでした", "train_util.py:2167")
    return subsets


def find_subset(subset: SubsetConfig) -> list[Picture]:
    folder = Path(subset.image_dir)
    if not folder.is_dir():
        console.warning(f"not directory: {subset.image_dir}", "train_util.py:1995")
        return []
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    console.info(f"found directory {subset.image_dir} contains {len(paths)} image files", "train_util.py:2059")
    bar = Bar(len(paths), "read caption")
    captions = []
    for path in paths:
        captions.append(read_caption(path, subset.settings))
        bar.advance()
    bar.close()
    warn_of_missing(paths, captions)
    fallback = subset.settings.get("class_tokens", "")
    return [
        picture_of(path, fallback if caption is None else caption, subset.settings)
        for path, caption in zip(paths, captions)
    ]


def picture_of(path: Path, caption: str, settings: dict) -> Picture:
    words = [settings.get("caption_prefix", ""), caption, settings.get("caption_suffix", "")]
    return Picture(
        path=path,
        caption=" ".join(word for word in words if word),
        repeats=settings.get("num_repeats", 1),
        flip=settings.get("flip_aug", False),
        caption_dropout=settings.get("caption_dropout_rate", 0.0),
    )


def read_caption(picture: Path, settings: dict) -> str | None:
    """First line of the caption file beside a picture; None when there is none (train_util.py:1940)."""
    path = picture.with_suffix(settings.get("caption_extension", ".caption"))
    if not path.is_file():
        return None
    lines = regular.read_text(path).splitlines()
    assert lines, f"caption file is empty / キャプションファイルが空です: {path}"
    return lines[0].strip()


def warn_of_missing(paths: list[Path], captions: list[str | None]) -> None:
    missing = [path for path, caption in zip(paths, captions) if caption is None]
    if missing:
        console.warning(
            f"No caption file found for {len(missing)} images. Training will continue without captions for these images. "
            "If class token exists, it will be used. / "
            f"{len(missing)}枚の画像にキャプションファイルが見つかりませんでした。"
            "これらの画像についてはキャプションなしで学習を続行します。class tokenが存在する場合はそれを使います。",
            "train_util.py:2077",
        )
    for path in missing[:5]:
        console.warning(str(path), "train_util.py:2084")


def choose_buckets(dataset: Dataset) -> None:
    console.info("loading image sizes.", "train_util.py:992")
    bar = Bar(len(dataset.pictures()))
    errors = []
    for picture in dataset.pictures():
        width, height = picture_size(picture.path)
        picture.bucket = bucket_of(dataset.config, (width, height))
        errors.append(abs(picture.bucket[0] / picture.bucket[1] - width / height))
        bar.advance()
    bar.close()
    if not dataset.config.enable_bucket:
        console.info("prepare dataset", "train_util.py:1017")
        return
    console.info("make buckets", "train_util.py:1015")
    console.info(
        "number of images (including repeats) / 各bucketの画像枚数（繰り返し回数を含む）", "train_util.py:1061"
    )
    for number, (size, count) in enumerate(dataset.buckets().items()):
        console.info(f"bucket {number}: resolution {size}, count: {count}", "train_util.py:1066")
    mean = sum(errors) / len(errors) if errors else 0
    console.info(f"mean ar error (without repeats): {mean}", "train_util.py:1074")


def describe(number: int, dataset: Dataset) -> str:
    config = dataset.config
    lines = [
        f"[Dataset {number}]",
        f"  batch_size: {config.batch_size}",
        f"  resolution: {config.resolution}",
        f"  enable_bucket: {config.enable_bucket}",
    ]
    if config.enable_bucket:
        lines += [
            f"  min_bucket_reso: {config.min_bucket_reso}",
            f"  max_bucket_reso: {config.max_bucket_reso}",
            f"  bucket_reso_steps: {config.bucket_reso_steps}",
            f"  bucket_no_upscale: {config.bucket_no_upscale}",
        ]
    for s, (subset, pictures) in enumerate(dataset.subsets):
        lines += [
            "",
            f"  [Subset {s} of Dataset {number}]",
            f'    image_dir: "{subset.image_dir}"',
            f"    image_count: {len(pictures)}",
            f"    num_repeats: {pictures[0].repeats}",
            f"    caption_dropout_rate: {pictures[0].caption_dropout}",
            f"    flip_aug: {pictures[0].flip}",
            f"    class_tokens: {subset.settings.get('class_tokens')}",
            f"    caption_extension: {subset.settings.get('caption_extension', '.caption')}",
        ]
    return "\n".join(lines) + "\n\n"


NO_DATA = (
    "No data found. Please verify arguments (train_data_dir must be the parent of folders with images) / "
    "画像がありません。引数指定を確認してください（train_data_dirには画像があるフォルダではなく、画像があるフォルダの親フォルダを指定する必要があります）"
)

"""The training size of each picture: landscape and portrait pictures are cropped as little as possible."""

import math

from .dataset_config import DatasetConfig

Size = tuple[int, int]  # width, height in pixels


def bucket_of(config: DatasetConfig, size: Size) -> Size:
    """The training size of a picture: the configured one, or with buckets the one with the nearest shape."""
    if not config.enable_bucket:
        return config.resolution
    if config.bucket_no_upscale:
        return bucket_without_upscale(config, size)
    shape = size[0] / size[1]
    return min(bucket_sizes(config), key=lambda bucket: abs(bucket[0] / bucket[1] - shape))


def bucket_sizes(config: DatasetConfig) -> list[Size]:
    """All multiples of the bucket step with at most the area of the resolution (model_util.py:make_bucket_resolutions)."""
    step = config.bucket_reso_steps
    area = config.resolution[0] * config.resolution[1]
    square = max(step, int(math.sqrt(area)) // step * step)
    sizes = {(square, square)}
    for width in range(max(step, config.min_bucket_reso), config.max_bucket_reso + 1, step):
        height = min(config.max_bucket_reso, area // width // step * step)
        if height >= config.min_bucket_reso:
            sizes |= {(width, height), (height, width)}
    return sorted(sizes)


def bucket_without_upscale(config: DatasetConfig, size: Size) -> Size:
    step = config.bucket_reso_steps
    width, height = size
    shrink = min(1.0, math.sqrt(config.resolution[0] * config.resolution[1] / (width * height)))
    return max(4, int(width * shrink) // step * step), max(4, int(height * shrink) // step * step)

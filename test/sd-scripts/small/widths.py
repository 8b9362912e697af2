"""How wide the small model's U-Net is, in place of sd-scripts' constants (library/original_unet.py)."""

CHANNELS = (32, 64, 64, 64)
EMBEDDING = 32
TIME_EMBEDDING = 128

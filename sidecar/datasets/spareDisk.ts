/** Left free for everything else that writes to the disk, a training's checkpoints above all. Bytes. */
export const SPARE_DISK = 1_000_000_000;

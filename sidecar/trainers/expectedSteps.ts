/**
 * Optimizer steps of a whole training, as sd-scripts counts them: all divisions are rounded up, for every epoch ends
 * with an update of its own (train_network.py:800). Pictures of several sizes fall into buckets, and with a batch size
 * above 1 each bucket rounds up for itself: the real number may then be a little larger. Each of several GPUs has its share
 * of the batches.
 */
export function expectedSteps(training: {
  images: number;
  repeats: number;
  epochs: number;
  batchSize: number;
  accumulation: number;
  gpus?: number;
}): number {
  const { images, repeats, epochs, batchSize, accumulation, gpus = 1 } = training;
  return epochs * Math.ceil(Math.ceil(Math.ceil((images * repeats) / batchSize) / gpus) / accumulation);
}

/**
 * Optimizer steps of a whole training, as sd-scripts counts them: all divisions round up, because every epoch ends with
 * an update of its own (train_network.py:800). With a batch size above 1 each bucket of a picture size rounds up, so
 * the real number may be a little larger. Several GPUs share the batches.
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

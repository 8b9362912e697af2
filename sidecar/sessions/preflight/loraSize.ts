import type { TensorPlace } from '../../files/safetensors.js';

/**
 * How many values a LoRA of rank `rank` on a model with these tensors trains, at most: rank × (inputs + outputs) of every
 * linear layer, and of every 1×1 convolution (networks/lora.py). Embeddings are none of them, some linear layers neither: the
 * real number is a little smaller.
 */
export function loraParameters(places: readonly Pick<TensorPlace, 'name' | 'shape'>[], rank: number): number {
  return places.reduce((sum, { name, shape }) => {
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const isLayer = shape.length >= 2 && kernel.every((side) => side === 1) && name.endsWith('.weight');
    return isLayer && !/embed|token|position/i.test(name) ? sum + rank * (inputs + outputs) : sum;
  }, 0);
}

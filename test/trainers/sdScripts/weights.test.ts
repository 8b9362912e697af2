import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkWeights } from '../../../sidecar/trainers/sdScripts/weights.js';
import { writeWeights } from '../../models/weights.js';

const folder = mkdtempSync(join(tmpdir(), 'trackside-weights-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lora = { 'lora_unet_a.lora_down.weight': [8, 320] };
writeWeights(join(folder, 'eight.safetensors'), lora, { metadata: { ss_network_dim: '8' } });
writeWeights(join(folder, 'silent.safetensors'), lora);
writeWeights(join(folder, 'cut.safetensors'), lora, { metadata: { ss_network_dim: '8' } });
truncateSync(join(folder, 'cut.safetensors'), 30);

test.each<[string, Record<string, string | boolean | string[]>, number, string[]]>([
  ['weights of the same rank', { network_weights: 'eight.safetensors' }, 8, []],
  ['of a rank that nobody wrote down', { network_weights: 'silent.safetensors' }, 4, []],
  ['that are not there', { network_weights: 'none.safetensors' }, 8, ['missing_model network_weights']],
  ['that are cut', { network_weights: 'cut.safetensors' }, 8, ['bad_model network_weights']],
  ['of another rank', { network_weights: 'eight.safetensors' }, 16, ['wrong_model network_weights']],
  ['whose rank is taken', { network_weights: 'eight.safetensors', dim_from_weights: true }, 16, []],
  [
    'a second one that is not there',
    { base_weights: ['eight.safetensors', 'no.safetensors'] },
    8,
    ['missing_model base_weights'],
  ],
  [
    "Anima's adapter that is not there",
    { llm_adapter_path: '/nowhere/adapter.safetensors' },
    8,
    ['missing_model llm_adapter_path'],
  ],
])('weights to begin from: %s', async (_, flags, rank, expected) => {
  const found = await checkWeights(flags, rank, folder);
  expect(found.map(({ code, field }) => `${code} ${field?.replace('arguments.', '')}`)).toEqual(expected);
});

import type { SavedAt } from '../dialect.js';

/**
 * `<name>-000004.safetensors`, `<name>-step00000500.safetensors` or `<name>.safetensors`: epoch and step files carry their
 * number; the final one carries none (sd-scripts train_util.py:89-100).
 */
export function checkpointName(outputName: string, at: SavedAt): string {
  return `${stem(outputName, at)}.safetensors`;
}

/** The kind of a checkpoint of the LoRA called `outputName`; null for other files. */
export function readCheckpointName(file: string, outputName: string): SavedAt | null {
  return file.endsWith('.safetensors') ? readStem(file.slice(0, -'.safetensors'.length), outputName) : null;
}

/** The kind of a state folder of the LoRA called `outputName`; null for other folders. */
export function readStateName(folder: string, outputName: string): SavedAt | null {
  return folder.endsWith('-state') ? readStem(folder.slice(0, -'-state'.length), outputName) : null;
}

/** The output name in a checkpoint's or state folder's name, for folders without a record; null for other files. */
export function outputNameBehind(name: string): string | null {
  const stem = weightsStem(name) ?? /^(.+)-state$/s.exec(name)?.[1];
  return stem ? behind(stem).outputName : null;
}

/**
 * The facts in a weights file's name, from any tool: sd-scripts, ai-toolkit (steps in nine digits), OneTrainer
 * (`-save-<steps>-<epochs>-<step of the epoch>`) or diffusers (`checkpoint-<steps>`). More digits than epochs have are
 * part of the name, as dates are.
 */
export function weightsBehind(file: string): (SavedAt & { outputName: string }) | null {
  const stem = weightsStem(file);
  return stem === null ? null : behind(stem);
}

export function isWeights(file: string): boolean {
  return weightsStem(file) !== null;
}

/** Weights as tools name them; `.pt` and `.bin` are also what they call their optimizer's and scheduler's states. */
function weightsStem(file: string): string | null {
  const stem = /^(.+)\.(?:safetensors|ckpt|pt)$/is.exec(file)?.[1];
  if (stem)
    return /(?:^|[-_.])(?:optim(?:izer)?|scheduler|scaler|rng|random_states|training_args)(?:[-_.]|$)/i.test(stem)
      ? null
      : stem;
  return /^(pytorch_lora_weights|adapter_model|learned_embeds(?:-steps-\d{1,12})?)\.bin$/.exec(file)?.[1] ?? null;
}

const NUMBERED: readonly [pattern: RegExp, kind: 'epoch' | 'step'][] = [
  [/^(.+)-(00\d{4})$/s, 'epoch'],
  [/^(.+)-step(\d{4,12})$/s, 'step'],
  [/^(.+)_(\d{9})$/s, 'step'],
  [/^(.+)-save-(\d{1,12})-\d{1,9}-\d{1,9}$/s, 'step'],
  [/^(checkpoint|learned_embeds-steps)-(\d{1,12})$/, 'step'],
];

/** When the weights in a folder were saved, as diffusers, SimpleTuner, x-flux and diffusion-pipe name it; null for other folders. */
export function readFolderName(folder: string): SavedAt | null {
  const found = /^(checkpoint|step|global_step|epoch)[-_]?(?:(epoch|step)[-_]?)?(\d{1,9})$/.exec(folder);
  if (!found) return null;
  const kind = found[1] === 'epoch' || found[2] === 'epoch' ? 'epoch' : 'step';
  return { kind, number: Number(found[3]) };
}

function behind(stem: string): SavedAt & { outputName: string } {
  for (const [pattern, kind] of NUMBERED) {
    const [, outputName, number] = pattern.exec(stem) ?? [];
    if (outputName) return { kind, number: Number(number), outputName };
  }
  return { kind: 'final', number: null, outputName: stem };
}

export type SampleName = {
  outputName: string;
  /** The epoch that triggered it, absolute; 0 is the sample before training. */
  epoch: number | null;
  /** The step that triggered it, counted from the last resume. */
  step: number | null;
  /** Index of the prompt, from 0. */
  prompt: number;
  /** YYYYmmddHHMMSS on the trainer's clock. */
  time: string;
  /** As given by `--d` in the prompt; may exceed 2^53. */
  seed: string | null;
};

/** `<name>_e000001_00_20261122012415_42.png` (sd-scripts train_util.py:6572-6577); null for other files. */
export function readSampleName(file: string): SampleName | null {
  const found = /^(?:(.*)_)?(e\d{6}|\d{6})_(\d{2})_(\d{14})(?:_(\d+))?\.png$/s.exec(file);
  if (!found) return null;
  const [, outputName = '', trigger = '', prompt, time = '', seed = null] = found;
  const byEpoch = trigger.startsWith('e');
  return {
    outputName,
    epoch: byEpoch ? Number(trigger.slice(1)) : null,
    step: byEpoch ? null : Number(trigger),
    prompt: Number(prompt),
    time,
    seed,
  };
}

function stem(outputName: string, at: SavedAt): string {
  if (at.kind === 'epoch') return `${outputName}-${String(at.number).padStart(6, '0')}`;
  if (at.kind === 'step') return `${outputName}-step${String(at.number).padStart(8, '0')}`;
  return outputName;
}

function readStem(text: string, outputName: string): SavedAt | null {
  if (text === outputName) return { kind: 'final', number: null };
  if (!text.startsWith(`${outputName}-`)) return null;
  const rest = text.slice(outputName.length + 1);
  if (/^\d{6,15}$/.test(rest)) return { kind: 'epoch', number: Number(rest) };
  if (/^step\d{8,15}$/.test(rest)) return { kind: 'step', number: Number(rest.slice('step'.length)) };
  return null;
}

import { families } from '../../../sidecar/trainers/sdScripts/families.js';
import type { Family } from '../../../sidecar/trainers/sdScripts/family.js';
import { sdScriptsTrainer } from '../../../sidecar/trainers/sdScripts/trainer.js';
import type { Trainer, TrainingInput } from '../../../sidecar/trainers/trainer.js';
import { readTrainingSettings } from '../../../sidecar/trainers/trainingSettings.js';

export const checkout = { path: '/sd-scripts', commit: null, python: '/venv/bin/python', pythonFrom: 'a test' };

export function trainerOf(family: Family): Trainer {
  return sdScriptsTrainer(family, checkout, '/models');
}

/** What a session of the family is begun with: all its model files, and the settings at their defaults but these. */
export function inputOf(
  family: Family,
  settings: Record<string, unknown> = {},
  more: Partial<TrainingInput> = {},
): TrainingInput {
  const models = Object.fromEntries(family.needs.map(({ flag, role }) => [flag, `/models/${role}.safetensors`]));
  return {
    settings: readTrainingSettings(trainerOf(family).settings, settings),
    datasetPath: '/data/cats',
    outputPath: '/out/cat',
    outputName: 'cat',
    resume: null,
    gpus: [0],
    python: '/usr/bin/python3',
    ...more,
    arguments: { ...models, ...more.arguments },
  };
}

export type FamilyCommand = { family: Family; preset: string; baseModel: string; argv: string[]; flags: string[] };

/** The command of every preset of every base model of every family. */
export function everyCommand(): FamilyCommand[] {
  return families.flatMap((family) =>
    family.baseModels.flatMap(({ value: baseModel }) =>
      (trainerOf(family).presets ?? []).map(({ vram: preset }) => {
        const input = inputOf(family, { vram: preset, base_model: baseModel, sample_prompts: 'a cat' });
        const { argv } = trainerOf(family).command(input);
        const script = argv.findIndex((token) => token.endsWith(family.script));
        return { family, preset, baseModel, argv, flags: argv.slice(script + 1) };
      }),
    ),
  );
}

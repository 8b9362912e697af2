import {
  type Argument,
  type ArgumentValue,
  argumentTokens,
  checkArguments,
} from '../../../sidecar/trainers/arguments.js';
import { checkCommandLine } from '../../../sidecar/trainers/checkCommandLine.js';
import type { Family } from '../../../sidecar/trainers/sdScripts/family.js';
import { inputOf, trainerOf } from './commands.js';

export const roots = { closed: ['/out', '/data'], linked: ['/models', '/sd-scripts'], cwd: '/sd-scripts' };

/** One flag with one of its values, as a person types it, and the command that it becomes. */
export type Given = { name: string; value: unknown; tokens: string[] };

/**
 * Gives a family each of its further flags, with its default, each of its choices and a value of its type, and sends
 * them through our checks as a form and a start do. Returns what passed, and what was refused.
 */
export async function everyFlag(family: Family, known: Argument[]): Promise<{ passed: Given[]; refused: string[] }> {
  const trainer = trainerOf(family);
  const further = trainer.furtherArguments(known);
  const own = trainer.command(inputOf(family)).argv;
  const passed: Given[] = [];
  const refused: string[] = [];
  for (const argument of further) {
    for (const value of valuesOf(argument)) {
      try {
        const read = checkArguments(further, { [argument.name]: value }, roots);
        const { argv } = trainer.command(inputOf(family, {}, { arguments: read }));
        await checkCommandLine(trainer, argv, own, roots, async () => known);
        passed.push({ name: argument.name, value, tokens: argumentTokens(read) });
      } catch (error) {
        refused.push(`${family.id} --${argument.name} ${String(value)}: ${(error as Error).message}`);
      }
    }
  }
  return { passed, refused };
}

function valuesOf({ name, type, items, choices, default: standard }: Argument): unknown[] {
  const given: unknown[] = [...(choices ?? [])];
  if (standard !== null && standard !== false && standard !== '') given.push(standard);
  if (given.length === 0)
    given.push(...(items ? [['1', '2']] : SAMPLES[type]).map((sample) => whereItNames(name, sample)));
  // A form sends text.
  return given.flatMap((value) => (typeof value === 'number' ? [value, String(value)] : [value]));
}

const SAMPLES: Record<Argument['type'], ArgumentValue[]> = {
  text: ['words'],
  integer: [1],
  number: [0.5, '1e-5'],
  list: [['a=1', 'b=2']],
  switch: [true],
};

/** Weights come in .safetensors files of the models folder. */
function whereItNames(name: string, sample: ArgumentValue): ArgumentValue {
  return /weights$/.test(name) && sample !== true
    ? Array.isArray(sample)
      ? ['/models/a.safetensors']
      : '/models/a.safetensors'
    : sample;
}

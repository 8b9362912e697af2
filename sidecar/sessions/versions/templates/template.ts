import { z } from 'zod';
import { jsonOrNull, scanJson } from '../../../files/exactJson.js';
import type { ArgumentValue } from '../../../trainers/arguments.js';
import type { Said } from '../../../trainers/foreign/said.js';
import { CLUSTER_FIELDS } from '../clusterFields.js';

/** Bytes of a template's file. */
export const LARGEST_TEMPLATE = 500_000;
export const LONGEST_NAME = 100;

const FORMAT = 'trackside template 1';
const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]);
const file = z.object({
  format: z.literal(FORMAT),
  name: z
    .string()
    .trim()
    .min(1)
    .max(LONGEST_NAME)
    .regex(/^\P{Cc}*$/u),
  description: z.string().max(2000).default(''),
  trainer: z.string().min(1).max(200),
  /** By their names in ui_state.json. */
  settings: z.record(z.string(), value),
  arguments: z.record(z.string(), value).default({}),
  created_at: z.iso.datetime(),
});

/** Named settings: how to train, without pictures, names and files of one machine. */
export type Template = Omit<z.infer<typeof file>, 'format' | 'settings' | 'arguments'> & {
  settings: Record<string, unknown>;
  arguments: Record<string, ArgumentValue>;
};

/** A session's own: what is trained, and where. */
const OF_ONE_TRAINING = new Set<string>([
  'lora_name',
  'concept_sentence',
  'gpus',
  'more_datasets',
  'reg_datasets',
  'resume_from_checkpoint',
  'launcher',
  ...CLUSTER_FIELDS,
]);

/** The text of a template's file: the same for the same template. */
export function templateText({ name, description, trainer, settings, arguments: flags, created_at }: Template): string {
  const sorted = Object.fromEntries(Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1)));
  const told = { format: FORMAT, name, description, trainer, settings, arguments: sorted, created_at };
  return `${JSON.stringify(told, null, 2)}\n`;
}

/** Null for a text that is no template. */
export function readTemplate(text: string): Template | null {
  if (text.length > LARGEST_TEMPLATE || scanJson(text).depth > 8) return null;
  const parsed = file.safeParse(jsonOrNull(text));
  if (!parsed.success) return null;
  const { format: _, ...template } = parsed.data;
  return template as Template;
}

/** Its values, to be checked one by one. */
export function saidInTemplate(settings: Record<string, unknown>, flags: Record<string, unknown>): Said[] {
  return [
    ...Object.entries(settings)
      .filter(([name]) => !OF_ONE_TRAINING.has(name))
      .map(([name, value]) => ({ from: name, name: name === 'sample_prompts' ? 'prompts' : name, value })),
    ...Object.entries(flags).map(([name, value]) => ({ from: `arguments.${name}`, name, value })),
  ];
}

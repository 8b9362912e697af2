import { practiceTrainer } from './practice.js';
import { families } from './sdScripts/families.js';

/** By what a base model is called, in a record or a checkpoint; more special ones first. Null: known, and not trained here. */
const NAMES: readonly [pattern: RegExp, trainer: string | null][] = [
  [/flux[-_. ]?2|kontext|sdxs|video|wan[-_. ]?2|qwen/, null],
  [/^practice/, practiceTrainer.id],
  [/chroma/, 'sd-scripts/chroma'],
  [/flux|schnell|dev2pro/, 'sd-scripts/flux'],
  [/sd[-_ ]?xl|stable-diffusion-xl|pony|illustrious|noobai|animagine/, 'sd-scripts/sdxl'],
  [/sd[-_ ]?3|stable-diffusion-3/, 'sd-scripts/sd3'],
  [/lumina/, 'sd-scripts/lumina'],
  [/hunyuan[-_ ]?image/, 'sd-scripts/hunyuan-image'],
  [/^anima(?![a-z])/, 'sd-scripts/anima'],
  [/sd[-_ ]?(?:v[-_]?)?2|stable-diffusion-v?2|v2-[01]/, 'sd-scripts/sd2'],
  [/sd[-_ ]?(?:v[-_]?)?1|stable-diffusion-v?1|v1-[1-5]/, 'sd-scripts/sd1'],
];

/** The trainer of a base model, by its name or file name; null when unknown. */
export function trainerOfModel(baseModel: string): string | null {
  const name = baseModel.slice(0, 500).trim().toLowerCase().replace(/^.*\//, '');
  const known = families.find(({ baseModels }) => baseModels.some(({ value }) => value === name));
  return known?.id ?? NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** The trainer that a record names: by its id, as `flux`, or as `flux_train_network.py`. What is none of these stays as it is. */
export function trainerNamed(said: string): string {
  const name = said.trim();
  const short = families.find(({ id }) => id === `sd-scripts/${name.toLowerCase()}`)?.id;
  return short ?? trainerOfCommand([name]) ?? name;
}

/** The trainer that a command runs, by its script and the flags that tell families of one script apart; null for others. */
export function trainerOfCommand(tokens: readonly string[]): string | null {
  const script = tokens.find((token) => /(?:^|[/_])train_network\.py$/.test(token))?.replace(/^.*\//, '');
  if (script === 'practice_train_network.py') return practiceTrainer.id;
  const of = families.filter((family) => family.script === script);
  const told = /--model_type[= ]chroma/.test(tokens.join(' ')) ? 'chroma' : tokens.includes('--v2') ? 'sd2' : '';
  return (of.find(({ id }) => id === `sd-scripts/${told}`) ?? of[0])?.id ?? null;
}

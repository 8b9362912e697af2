import type { ModelFile, ModelRole } from '../models/roles.js';
import type { ArgumentValue } from './arguments.js';
import type { ModelNeed, Trainer } from './trainer.js';

type Needing = Pick<Trainer, 'models' | 'settings'>;
type Given = Record<string, ArgumentValue>;

/**
 * The default model files: for each need the first usable file of its role that is not plainly of another base model.
 * Returns paths by flag, only for flags that were not given.
 */
export function chooseModels(trainer: Needing, baseModel: string, given: Given, found: readonly ModelFile[]): Given {
  const chosen: Given = {};
  const others = otherWords(trainer, baseModel);
  for (const need of trainer.models ?? []) {
    if (!need.required || given[need.flag] || isInside(need, { ...given, ...chosen }, found)) continue;
    const fit = modelsFor(need, found).find(({ name, detail }) => {
      const words = `${name} ${detail ?? ''}`.toLowerCase();
      return need !== trainer.models?.[0] || !others.some((word) => words.includes(word));
    });
    if (fit) chosen[need.flag] = fit.path;
  }
  return chosen;
}

/** Usable files of a need's role, in the order found. */
export function modelsFor(need: ModelNeed, found: readonly ModelFile[]): ModelFile[] {
  return found.filter(({ role, usable }) => usable && role !== null && fitsRole(role, need.role));
}

/** SD 1.x's and SDXL's VAEs have the same tensors, so either fits. */
export function fitsRole(role: ModelRole, needed: ModelRole): boolean {
  return role === needed || (role === 'sd-vae' && needed === 'sdxl-vae');
}

/** Needs that are not given, and not inside the main model. */
export function missingModels(trainer: Needing, given: Given, found: readonly ModelFile[]): ModelNeed[] {
  return (trainer.models ?? []).filter((need) => need.required && !given[need.flag] && !isInside(need, given, found));
}

/** Checkpoints of Stable Diffusion 3 may hold their text encoders: `detail` then names them. */
export function isInside(need: ModelNeed, given: Given, found: readonly ModelFile[]): boolean {
  const main = found.find(({ path }) => path === given.pretrained_model_name_or_path);
  const held = /, with (.+)$/.exec(main?.detail ?? '')?.[1] ?? '';
  return held.split(/, ?/).includes(need.role);
}

/** The words of a family's other base models: "schnell", "dev2pro", "large". */
function otherWords({ settings }: Needing, baseModel: string): string[] {
  const choices = settings.find(({ name }) => name === 'base_model')?.choices ?? [];
  const last = (value: string) => value.split(/[-.]/).at(-1) ?? value;
  const words = choices.filter(({ value }) => value.includes('-')).map(({ value }) => last(value));
  return words.filter((word) => !last(baseModel).includes(word) && word !== 'base');
}

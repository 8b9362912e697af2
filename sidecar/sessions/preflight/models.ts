import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readModelAt } from '../../models/findModels.js';
import { type ModelRole, roleNames } from '../../models/roles.js';
import { missingTokenizers } from '../../models/tokenizers.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { error, type Finding, warning } from '../../trainers/finding.js';
import { fitsRole, isInside } from '../../trainers/modelNeeds.js';
import type { ModelNeed } from '../../trainers/trainer.js';

/**
 * Checks that a family's model files exist, are whole and have the right role. A trainer finds out only after a minute
 * of loading, and its parser requires no flag. Relative paths are relative to `cwd`.
 */
export async function checkModels(
  needs: readonly ModelNeed[],
  flags: Record<string, ArgumentValue>,
  cwd: string,
): Promise<Finding[]> {
  const main = flags.pretrained_model_name_or_path;
  const path = typeof main === 'string' ? resolve(cwd, main.trim()) : '';
  const model = existsSync(path) ? await readModelAt(path) : null;
  const outside = needs.filter(
    (need) => flags[need.flag] || !model || !isInside(need, { pretrained_model_name_or_path: model.path }, [model]),
  );
  return (await Promise.all(outside.map((need) => checkModel(need, flags[need.flag], cwd)))).flat();
}

/** A trainer downloads a missing tokenizer at its start, and ends without the hub. */
export async function checkTokenizers(needs: readonly ModelNeed[], folder: string): Promise<Finding[]> {
  const main = needs.find(({ flag }) => flag === 'pretrained_model_name_or_path');
  const missing = main ? await missingTokenizers(folder, main.role) : [];
  if (missing.length === 0) return [];
  const message = `The tokenizer ${missing.join(', ')} is not downloaded yet. The trainer downloads it when it starts, which fails without internet. You can download it first on the Models page.`;
  return [warning('missing_tokenizer', message, { about: 'models' })];
}

async function checkModel(need: ModelNeed, value: ArgumentValue | undefined, cwd: string): Promise<Finding[]> {
  const more = { field: `arguments.${need.flag}`, about: 'models' as const };
  const given = typeof value === 'string' ? value.trim() : '';
  if (given === '') {
    if (!need.required) return [];
    const message = `${need.label}: no file is chosen (${roleNames[need.role]}). Choose one in the settings, or download it on the Models page.`;
    return [error('no_model', message, more)];
  }
  const path = resolve(cwd, given);
  if (!existsSync(path)) return [absent(need, given, more)];
  const model = await readModelAt(path);
  const none = `${need.label}: ${path} is not a model, or it is a LoRA. Choose ${article(need.role)}.`;
  if (!model) return [error('no_model_file', none, more)];
  if (model.reason)
    return [error('bad_model', `${need.label}: ${path} ${model.reason}. Download it again, or choose another.`, more)];
  if (model.role === null) {
    const message = `${need.label}: Trackside doesn't recognise ${path}. It should be ${article(need.role)}.`;
    return [warning('unknown_model', message, more)];
  }
  if (!fitsRole(model.role, need.role)) {
    const message = `${need.label}: ${path} is ${article(model.role)}, but ${article(need.role)} is needed. Choose another file, or the matching model family.`;
    return [error('wrong_model', message, more)];
  }
  return [];
}

/** `owner/name` may be a model on the hub, which the trainer downloads itself. */
function absent(need: ModelNeed, given: string, more: { field: string; about: 'models' }): Finding {
  if (/^[\w.-]+\/[\w.-]+$/.test(given) && need.flag === 'pretrained_model_name_or_path') {
    const message = `${need.label}: ${given} is not a file on this machine, so the trainer downloads it from Hugging Face when it starts, without showing progress.`;
    return warning('model_from_hub', message, more);
  }
  const message = `${need.label}: ${given} was not found. Choose another file, or download it on the Models page.`;
  return error('missing_model', message, more);
}

function article(role: ModelRole): string {
  return `the ${roleNames[role]}`;
}

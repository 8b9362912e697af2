import { Problem } from '../../../problem.js';
import type { Settings } from '../../../settings.js';
import { slug } from '../../../slug.js';
import { trainers } from '../../../trainers/catalogue.js';
import type { Said } from '../../../trainers/foreign/said.js';
import { ownFiles } from '../../record/ownFiles.js';
import { takeForeign } from '../takeForeign.js';
import type { NotTaken } from '../takeSaid.js';
import type { Checks } from '../trainerFields.js';
import {
  LARGEST_TEMPLATE,
  LONGEST_NAME,
  readTemplate,
  saidInTemplate,
  type Template,
  templateText,
} from './template.js';

/** `key`: its address. `shipped`: a starting point of Trackside's own, for a trainer and a GPU. */
export type ListedTemplate = Template & { key: string; shipped: boolean };

const SHIPPED = 'shipped-';
/** When a shipped one was made says nothing. */
const ALWAYS = '2026-01-01T00:00:00.000Z';

const filesOf = ({ outputs }: Settings) => ownFiles(outputs, '.templates', { most: 1000, largest: LARGEST_TEMPLATE });

/** The person's own, by name, then those that are shipped. */
export async function listTemplates(settings: Settings): Promise<ListedTemplate[]> {
  const texts = await filesOf(settings).list();
  const own = [...texts].flatMap(([key, text]) => {
    const template = readTemplate(text);
    return template ? [{ key, shipped: false, ...template }] : [];
  });
  return [...own.sort((a, b) => (a.name < b.name ? -1 : 1)), ...shippedTemplates(settings)];
}

/** Throws a Problem where there is none. */
export async function findTemplate(settings: Settings, key: string): Promise<ListedTemplate> {
  const shipped = shippedTemplates(settings).find((each) => each.key === key);
  if (shipped) return shipped;
  const text = await filesOf(settings).read(key);
  const template = text === null ? null : readTemplate(text);
  if (!template)
    throw new Problem('no_template', 'There is no such template. It may have been deleted.', { about: 'templates' });
  return { key, shipped: false, ...template };
}

/** The presets of every trainer here: each with the settings of its form, and the flags of its GPU. */
function shippedTemplates(settings: Settings): ListedTemplate[] {
  return trainers(settings).flatMap((trainer) =>
    (trainer.presets ?? []).map(({ vram, label, why }) => {
      const base = trainer.settings.find(({ name }) => name === 'base_model')?.default;
      const values = trainer.settings.map(({ name, default: usual }) => [name, name === 'vram' ? vram : usual]);
      const said = saidInTemplate(Object.fromEntries(values), {});
      return {
        key: `${SHIPPED}${slug(`${trainer.id} ${vram}`)}`,
        shipped: true,
        name: `${trainer.label}, ${label}`,
        description: why,
        trainer: trainer.id,
        settings: Object.fromEntries(said.map(({ from, value }) => [from, value])),
        arguments: trainer.given?.({ base_model: String(base), vram }) ?? {},
        created_at: ALWAYS,
      };
    }),
  );
}

export type AskedTemplate = {
  name: string;
  description: string;
  trainer: string;
  said: Said[];
  created_at: string | null;
  /** Over one of the same name. */
  replace: boolean;
};

/** Saves checked settings under a name. Throws a Problem for a name that is taken, and for a trainer that is not here. */
export async function saveTemplate(
  checks: Checks,
  asked: AskedTemplate,
): Promise<{ template: ListedTemplate; not_taken: NotTaken[] }> {
  const { settings } = checks;
  const name = asked.name.trim();
  const key = slug(name);
  if (!key || key.startsWith(SHIPPED) || name.length > LONGEST_NAME || /\p{Cc}/u.test(name)) {
    const message = 'Give the template a name of at most 100 characters, with a letter or a digit in it.';
    throw new Problem('bad_name', message, { field: 'name' });
  }
  const foreign = { kind: 'a template', trainer: asked.trainer, said: asked.said };
  const found = await takeForeign(checks, foreign, '', { keepUsual: true });
  const template: Template = {
    name,
    description: asked.description.slice(0, 2000),
    trainer: found.trainer,
    settings: found.fields,
    arguments: found.arguments,
    created_at: asked.created_at ?? new Date().toISOString(),
  };
  const files = filesOf(settings);
  const before = await files.read(key);
  const text = templateText(template);
  if (before !== null && before !== text && !asked.replace) {
    const message = `There is a template called ${name} already. Choose another name, or replace it.`;
    throw new Problem('name_taken', message, { field: 'name', about: 'templates' });
  }
  await files.write(key, text);
  return { template: { key, shipped: false, ...template }, not_taken: found.not_taken };
}

/** Throws a Problem for a text that is no template, and as `saveTemplate` does. */
export async function importTemplate(checks: Checks, text: string, replace: boolean) {
  const template = readTemplate(text);
  if (!template) {
    throw new Problem('bad_template', 'This is not the file of a template: choose one that Trackside has exported.', {
      field: 'file',
    });
  }
  return saveTemplate(checks, { ...template, said: saidInTemplate(template.settings, template.arguments), replace });
}

export async function removeTemplate(settings: Settings, key: string): Promise<void> {
  if (await filesOf(settings).remove(key)) return;
  throw new Problem('no_template', 'There is no such template of yours. It may have been deleted.', {
    about: 'templates',
  });
}

/** A template as the fields of the form. */
export function templateFields({ trainer, settings, arguments: flags }: Template): Record<string, unknown> {
  return { trainer, ...settings, arguments: flags };
}

import type { ListedTemplate } from '../sessions/versions/templates/templates.js';
import { joined } from './formatting.js';
import type { PageModel } from './frame.js';
import { settingLabel, valueText } from './settings.js';

export type TemplatesModel = PageModel & { templates: ListedTemplate[] };

export type TemplatesView = ReturnType<typeof templatesView>;

export function templatesView({ templates, root }: TemplatesModel) {
  const shown = templates.map((template) => templateView(template, root));
  return {
    own: shown.filter((_, at) => !templates[at]?.shipped),
    shipped: shown.filter((_, at) => templates[at]?.shipped),
    sweeps: `${root}sweeps`,
  };
}

function templateView({ key, name, description, trainer, settings, arguments: flags }: ListedTemplate, root: string) {
  const all = [
    ...Object.entries(settings),
    ...Object.entries(flags).map(([flag, value]): [string, unknown] => [`arguments.${flag}`, value]),
  ];
  const brief = (setting: string, label: string) =>
    settings[setting] !== undefined && `${label} ${String(settings[setting])}`;
  return {
    name,
    description,
    brief: joined(
      trainer,
      brief('learning_rate', 'learning rate'),
      brief('network_dim', 'rank'),
      brief('max_train_epochs', 'epochs'),
    ),
    start: `${root}new?template=${encodeURIComponent(key)}`,
    file: `${root}templates/${encodeURIComponent(key)}.json`,
    remove: `${root}templates/${encodeURIComponent(key)}?_method=DELETE`,
    values: all.map(([setting, value]) => ({ name: settingLabel(setting), value: valueText(value) })),
  };
}

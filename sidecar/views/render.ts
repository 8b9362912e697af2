import { Eta } from 'eta';
import type { Assets } from './assets.js';
import * as formatting from './formatting.js';

/** Renders a template by its path under templates/, without extension, with a view model. */
export type Render = (template: string, view: { root: string; now?: Date; [name: string]: unknown }) => string;

/**
 * Templates see their view model as `it`, the way back to the site's root as `root`, the functions of formatting.ts as
 * `f`, and `asset(name)`. Whatever is printed with `<%=` is escaped for text and for quoted attributes.
 */
export function createRenderer(options: { templates: string; assets: Assets; development?: boolean }): Render {
  const eta = new Eta({
    views: options.templates,
    autoEscape: true,
    cache: !options.development,
    functionHeader: 'const { root, f, now } = it;',
  });
  return (template, view) =>
    eta.render(template, {
      ...view,
      f: { ...formatting, time, encode: encodeURIComponent },
      asset: (name: string) => `${view.root}${options.assets.href(name)}`,
    });
}

/**
 * A time as an element, which live.js turns into the reader's own zone: `clock` "03:12", `date` "22 Nov 03:12", `ago`
 * "12 min ago". Without a script it reads as UTC, or as the distance from `now`.
 */
function time(value: string | number | null | undefined, now: Date, as: 'date' | 'clock' | 'ago' = 'date'): string {
  if (value == null) return '–';
  const then = new Date(typeof value === 'number' ? value * 1000 : value);
  if (Number.isNaN(then.getTime())) return '–';
  const text = as === 'ago' ? formatting.relative(then, now) : formatting.utc(then, now);
  return `<time datetime="${then.toISOString()}" data-as="${as}">${text}</time>`;
}

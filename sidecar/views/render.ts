import { Eta } from 'eta';
import type { Region } from '../live/changes.js';
import type { Assets } from './assets.js';
import * as formatting from './formatting.js';
import type { Templates } from './templates.js';

/** Where the page is and when it is read: what every template may use, beside its own view. */
export type Around = { root: string; now: Date };

/** The HTML of the template of that name under templates/; empty where its view is null. */
export type Render = <Name extends keyof Templates>(name: Name, view: Templates[Name] | null, around: Around) => string;

/** The same as a live region. A row is drawn once for a view: the page itself keeps "12 min ago" true. */
export type RenderRegion = <Name extends keyof Templates>(
  name: Name,
  view: Templates[Name] | null,
  around: Around,
) => Region;

/**
 * A template sees its view as `it`, the way back to the site's root as `root`, the time as `now`, the functions of
 * formatting.ts as `f`, `asset(name)`, `part(name, view)`, which renders parts/<name> with that view and nothing else, or
 * nothing where the view is null, and `list(id, name, views)`, which renders a row for each view. `id` is that of the element
 * around them, and each view's `id` that of its row. Whatever is printed with `<%=` is escaped for text and for quoted
 * attributes, and its invisible marks are shown; `<%~ f.typed(value) %>` keeps them, for what a form sends back.
 *
 * @param development reads the templates again on every request, and throws where one reads what its view does not have
 */
export function createRenderer(options: { templates: string; assets: Assets; development?: boolean }): {
  render: Render;
  renderRegion: RenderRegion;
} {
  const eta = new Eta({
    views: options.templates,
    autoEscape: true,
    escapeFunction: (value) => escaped(shown(String(value))),
    cache: !options.development,
    functionHeader: 'const { root, now, f, asset, part, list } = it;',
  });
  const f = { ...formatting, time, encode: encodeURIComponent, typed: escaped };
  type Lists = Map<string, Map<string, string>>;
  const draw = (name: string, view: object | null, { root, now }: Around, lists?: Lists): string => {
    if (view === null) return '';
    const around = { root, now };
    const part = (each: string, its: object | null) => draw(`parts/${each}`, its, around, lists);
    const list = (id: string, each: string, views: { id: string }[]) => {
      if (!lists) return `\n${views.map((its) => row(its, each, around)).join('\n')}\n`;
      lists.set(id, new Map(views.map((its) => [its.id, rowOnce(its, each, around)])));
      return '';
    };
    const seen = { ...view, ...around, f, part, list, asset: (file: string) => `${root}${options.assets.href(file)}` };
    return eta.render(name, options.development ? onlyKnown(seen) : seen);
  };
  const row = (its: object, each: string, around: Around) => draw(`parts/${each}`, its, around).trim();
  const drawnRows = new WeakMap<object, string>();
  const rowOnce = (its: object, each: string, around: Around) => {
    const html = drawnRows.get(its) ?? row(its, each, around);
    drawnRows.set(its, html);
    return html;
  };
  return {
    render: draw,
    renderRegion(name, view, around) {
      const lists: Lists = new Map();
      return { html: draw(name, view, around, lists), lists };
    },
  };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return String(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** Marks that turn the direction of what follows, or take no room: a name could pass for another one by them. */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

function shown(text: string): string {
  return text.replace(UNSEEN, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** The same object, and all that is in it; to ask for a key that is not there is an error. */
function onlyKnown<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      if (typeof key === 'string' && !(key in object)) throw new Error(`A template asks for ${key}: not in its view`);
      const value: unknown = Reflect.get(object, key, receiver);
      return isPlain(value) ? onlyKnown(value) : value;
    },
  });
}

function isPlain(value: unknown): value is object {
  return Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
}

/**
 * A time as an element, which live.js turns into the reader's own zone: `clock` "03:12", `date` "03:12", "Sun 03:12" or
 * "22 Nov", `ago` "12 min ago". Without a script it says that it is UTC; with one it is as wide before as afterwards.
 */
function time(value: string | number | null | undefined, now: Date, as: 'date' | 'clock' | 'ago' = 'date'): string {
  if (value == null) return '–';
  const then = new Date(typeof value === 'number' ? value * 1000 : value);
  if (Number.isNaN(then.getTime())) return '–';
  const zone = '<span class="zone"> UTC</span>';
  const text = as === 'ago' ? formatting.relative(then, now) : formatting.day(then, as === 'date' ? now : then) + zone;
  return `<time datetime="${then.toISOString()}" data-as="${as}">${text}</time>`;
}

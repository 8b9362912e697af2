import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { historyEntry } from '../sessions/outputs/history.js';
import type { Lora } from '../sessions/outputs/loras.js';
import { isAlive } from '../sessions/status/alive.js';
import { sessionAddress } from './action.js';
import { count, joined, loss, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { type SessionModel, sessionView } from './session.js';
import { thumbnail } from './sessions.js';
import { statusView } from './status.js';

export type LorasModel = PageModel & { loras: Lora[] };
export type LoraModel = SessionModel & { lora: Lora };

export type LorasView = ReturnType<typeof lorasView>;
export type LoraView = ReturnType<typeof loraView>;

/** All LoRAs, with their newest version. */
export function lorasView({ loras, root }: LorasModel) {
  return {
    rows: loras.map(({ key, name, versions, trigger_word }) => {
      const [newest] = versions as [SessionFacts];
      const best = versions.find(({ marked_best }) => marked_best);
      return {
        href: loraAddress(root, key),
        name,
        trigger: trigger_word,
        thumbnail: thumbnail(best ?? newest, root),
        count: count(versions.length),
        best: best ? versionName(best) : null,
        newest: versionName(newest),
        status: statusView(newest),
        date: historyEntry(newest).date,
      };
    }),
    history: `${root}history`,
  };
}

/** A LoRA: the table of its versions, and all that belongs to the chosen one. */
export function loraView(model: LoraModel) {
  const { lora, root, session } = model;
  const at = sessionAddress(root, session.name);
  const rows = lora.versions.map((each) => ({
    ...rowView(each, session.name, loraAddress(root, lora.key)),
    compare: each.name === session.name ? null : compareView(each, session, root),
  }));
  const failed = lora.versions.filter(({ status, pinned }) => status === 'failed' && !pinned).length;
  return {
    ...sessionView(model),
    name: lora.name,
    trigger: lora.trigger_word,
    version: versionName(session),
    rows,
    /** Is anything said of a version? */
    marked: rows.some(({ marks, tags }) => marks !== '' || tags.length > 0),
    /** All versions beside each other; null for a single one. */
    compare: lora.versions.length > 1 ? `${root}compare?lora=${encodeURIComponent(lora.key)}` : null,
    count: plural(lora.versions.length, 'version'),
    fresh: newFrom(lora, root),
    relaunch: `${at}/relaunch`,
    page: at,
    history: `${root}history?${new URLSearchParams({ lora: lora.name })}`,
    edit: {
      address: `${at}?_method=PATCH`,
      name: session.version_name ?? '',
      usual: `V${session.version}`,
      tags: session.tags.join(', '),
      best: session.marked_best,
      pinned: session.pinned,
      ratings: RATINGS.map(({ value, label }) => ({ value, label, chosen: value === String(session.rating ?? '') })),
    },
    dataset: datasetWords(session),
    deleting: isAlive(session.status) ? null : `${at}?_method=DELETE`,
    failed: failed > 0 ? `Delete ${plural(failed, 'failed version')}` : null,
    deleteFailed: `${loraAddress(root, lora.key)}/versions/failed?_method=DELETE`,
    versionsFile: `${loraAddress(root, lora.key)}/training_versions.json`,
  };
}

const RATINGS = [
  { value: '', label: 'Not rated' },
  ...[1, 2, 3, 4, 5].map((stars) => ({ value: String(stars), label: `${stars} of 5` })),
];

function rowView(session: SessionFacts, chosen: string, at: string) {
  const { name, description, marked_best, pinned, rating, tags, images } = session;
  const entry = historyEntry(session);
  return {
    href: `${at}?version=${encodeURIComponent(name)}`,
    version: versionName(session),
    chosen: name === chosen,
    status: statusView(session),
    date: entry.date,
    pictures: count(images),
    steps: count(entry.steps),
    best: loss(entry.best_loss),
    description,
    marks: joined(marked_best && 'best', pinned && 'pinned', rating !== null && `${rating} of 5`),
    isBest: marked_best,
    tags,
  };
}

/** What was changed between two versions: the earlier one is the baseline. */
function compareView(one: SessionFacts, other: SessionFacts, root: string) {
  const [from, to] = one.version < other.version ? [one, other] : [other, one];
  const names = [from.name, to.name].map((name): [string, string] => ['sessions', name]);
  return { href: `${root}compare?${new URLSearchParams(names)}`, words: `${versionName(from)} → ${versionName(to)}` };
}

/** "example · 12 pictures, 10 captions" */
function datasetWords({ dataset_path: path, images, captions }: SessionFacts): string {
  if (!path) return 'No dataset was chosen.';
  const counted = images === null ? '' : `${plural(images, 'picture')}, ${plural(captions ?? 0, 'caption')}`;
  return joined(path.split('/').at(-1) ?? path, counted);
}

/** New clears to defaults, and keeps the name and the trigger word. */
function newFrom({ name, trigger_word }: Lora, root: string): string {
  return `${root}new?${new URLSearchParams({ lora_name: name, ...(trigger_word && { concept_sentence: trigger_word }) })}`;
}

export function loraAddress(root: string, key: string): string {
  return `${root}loras/${encodeURIComponent(key)}`;
}

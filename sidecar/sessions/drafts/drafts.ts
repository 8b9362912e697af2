import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../../files/lock.js';
import { Lru } from '../../files/lru.js';
import { inTurn } from '../../files/queue.js';
import { writeWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { inFolder, makeFolder } from '../../security/paths.js';
import { isFolderName, slug } from '../../slug.js';
import { type DraftChange, type DraftFile, readDraftFile, renameDraftFile } from './draftFile.js';
import { mergeFields } from './merge.js';

/** What is typed into the form of a new training, by `lora`: the LoRA's folder name, or a name of its own before it has one. */
export type Draft = DraftFile & { lora: string };

/** `taken`: the LoRA that was typed has another draft, which stays as it is. */
export type SavedDraft = Draft & { taken?: { lora: string; updated_at: string } };

const FOLDER = '.drafts';
/** More than anybody begins; a script in a loop would fill the disk. */
const MOST_DRAFTS = 500;
const PATIENCE_MS = 7000;
/**
 * By form: under which key its draft lies. Null once it became a session, or was cleared: what is still on its way from it is no
 * draft any more.
 */
const forms = new Lru<{ key: string | null }>(1000);

/** The key of a draft: `My Cat!` → `my-cat`. Throws a Problem for a name that has none. */
export function draftKey(name: string): string {
  const key = UNNAMED.test(name) ? name : slug(name);
  if (key && isFolderName(key) && !key.includes('..')) return key;
  throw new Problem('bad_name', 'This is no name of a draft: use at least one letter or digit.', {
    field: 'lora_name',
  });
}

/** Of a form whose LoRA has no name yet, and of a session that is a draft and is edited. */
const UNNAMED = /^_([0-9a-f]{8}|edit-.{1,150})$/su;

export function newDraftKey(): string {
  return `_${randomBytes(4).toString('hex')}`;
}

/** The key of the edits of a session that is a draft. */
export function editKey(session: string): string {
  return `_edit-${session}`.slice(0, 150);
}

/** Null without such a draft. */
export async function readDraft(outputs: string, name: string): Promise<Draft | null> {
  const key = draftKey(name);
  const found = await inFolder(outputs, join(outputs, FOLDER), ({ at }) => readDraftFile(at, key));
  return found && { lora: key, ...found };
}

/** All drafts of new trainings, last changed first. */
export async function listDrafts(outputs: string): Promise<Draft[]> {
  const found = await inFolder(outputs, join(outputs, FOLDER), async ({ at }) => {
    const keys = (await readdir(at)).flatMap((file) => /^(.+)\.json$/su.exec(file)?.[1] ?? []);
    const isOfNew = (key: string) => isFolderName(key) && !key.startsWith('_edit-');
    const all = keys
      .slice(0, 2 * MOST_DRAFTS)
      .filter(isOfNew)
      .map(async (key) => {
        const draft = await readDraftFile(at, key);
        return draft ? { lora: key, ...draft } : [];
      });
    return (await Promise.all(all)).flat();
  });
  return (found ?? []).sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
}

/**
 * Makes a draft, or merges a change into one. A change of the present `version` replaces it; another one is merged field by
 * field, from the `base` that it began with. Once `lora_name` is typed, a draft without a name moves to its LoRA, unless
 * that has another draft. Throws a Problem: too many drafts, or a form that became a session.
 *
 * @example await saveDraft(settings.outputs, 'my-cat', { fields: { lora_name: 'My Cat', network_dim: '8' } })
 */
export async function saveDraft(outputs: string, name: string, change: DraftChange): Promise<SavedDraft> {
  const named = draftKey(name);
  return changing(outputs, async (at) => {
    const form = change.form_id ? forms.get(change.form_id) : undefined;
    // Sent before the form heard that its draft moved to its LoRA: it is no second draft.
    const key = form?.key ?? named;
    if (form?.key === null)
      throw new Problem('already_made', 'This form was started or cleared: there is nothing left to save of it.');
    const present = await readDraftFile(at, key);
    const draft = merged(present, change);
    const wanted = key.startsWith('_edit-') ? key : slug(draft.fields.lora_name ?? '') || key;
    const other = wanted === key ? null : await readDraftFile(at, wanted);
    const to = other ? key : wanted;
    if (!present && to === key) await requireRoom(at);
    // What can't be read is no draft, and is kept all the same.
    if (!(to === key ? present : other)) await renameDraftFile(at, to, 'json', 'unreadable');
    await writeWhole(join(at, `${to}.json`), `${JSON.stringify(draft, null, 2)}\n`);
    if (to !== key) await rm(join(at, `${key}.json`), { force: true });
    if (change.form_id) forms.set(change.form_id, { key: to });
    return { lora: to, ...draft, ...(other ? { taken: { lora: wanted, updated_at: other.updated_at } } : {}) };
  });
}

function merged(present: DraftFile | null, change: DraftChange): DraftFile {
  const { fields, base, others = present?.others ?? {}, view = present?.view ?? { open: [] } } = change;
  const next = { view, version: (present?.version ?? change.version ?? 0) + 1, updated_at: new Date().toISOString() };
  if (!present || present.version === change.version) return { fields, others, ...next };
  const both = mergeFields(base ?? {}, present.fields, fields);
  return { fields: both.fields, others: { ...present.others, ...both.others }, ...next };
}

async function requireRoom(at: string): Promise<void> {
  if ((await readdir(at)).filter((file) => file.endsWith('.json')).length < MOST_DRAFTS) return;
  throw new Problem('too_many_drafts', `There are ${MOST_DRAFTS} drafts already.`, {
    todo: 'Reset one of them first.',
  });
}

/**
 * Clears a draft; `putDraftBack` undoes it. Returns its key, null without one. The form knows it by `name`, but what it sent last may have moved
 * it to its LoRA. What is still on its way from the form, which became a session or was cleared, is kept out.
 */
export function finishDraft(outputs: string, name: string, formId: string): Promise<string | null> {
  const named = draftKey(name);
  return changing(outputs, async (at) => {
    const key = forms.get(formId)?.key ?? named;
    if (formId) forms.set(formId, { key: null });
    const cleared = await renameDraftFile(at, key, 'json', 'reset');
    await dropOldResets(at);
    return cleared ? key : null;
  });
}

/** What was cleared can be put back until as many others were cleared. */
async function dropOldResets(at: string): Promise<void> {
  const cleared = (await readdir(at)).filter((file) => file.endsWith('.reset'));
  if (cleared.length <= MOST_DRAFTS) return;
  const times = await Promise.all(cleared.map(async (file) => ({ file, at: (await stat(join(at, file))).ctimeMs })));
  const oldest = times.sort((a, b) => a.at - b.at).slice(0, cleared.length - MOST_DRAFTS);
  for (const { file } of oldest) await rm(join(at, file), { force: true });
}

/** Was a draft cleared that can be put back? */
export async function isReset(outputs: string, name: string): Promise<boolean> {
  const key = draftKey(name);
  const names = await inFolder(outputs, join(outputs, FOLDER), ({ at }) => readdir(at));
  return names?.includes(`${key}.reset`) ?? false;
}

/** Undoes a reset. Throws a Problem where nothing was cleared, or something was typed since. */
export function putDraftBack(outputs: string, name: string): Promise<Draft> {
  const key = draftKey(name);
  return changing(outputs, async (at) => {
    if (await readDraftFile(at, key))
      throw new Problem('is_there', 'This draft was begun anew since. It stays as it is.');
    await renameDraftFile(at, key, 'reset', 'json');
    const back = await readDraftFile(at, key);
    if (!back) throw new Problem('no_draft', 'There is nothing to put back. It may have been put back already.');
    return { lora: key, ...back };
  });
}

/** One change after the other, in this process and beside other sidecars on the volume. */
async function changing<T>(outputs: string, work: (at: string) => Promise<T>): Promise<T> {
  return inTurn(join(outputs, FOLDER), async () => {
    await makeFolder(join(outputs, FOLDER));
    const done = await inFolder(outputs, join(outputs, FOLDER), async ({ at, real }) => {
      const release = await takeLock(join(real, '.lock'), { patienceMs: PATIENCE_MS });
      try {
        return { result: await work(at) };
      } finally {
        await release();
      }
    });
    if (done) return done.result;
    throw new Problem('no_draft', 'The folder of drafts is gone: it was moved or removed a moment ago.');
  });
}

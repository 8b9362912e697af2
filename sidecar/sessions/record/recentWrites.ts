import { createHash } from 'node:crypto';
import { Lru } from '../../files/lru.js';
import { distance, mergeEdits } from './merge.js';
import type { RawState } from './uiState.js';

/** The longest edit that begins before a write of ours and ends after it. */
const RECENT_MS = 3000;
/** The time until a written file is checked again. */
const LOOK_AGAIN_MS = 1500;
/** The latest texts of the last 500 sessions; one is put back after an edit that broke the file. */
const texts = new Lru<string>(500);
const LARGEST_REMEMBERED = 256 * 1024;

type Content = { text: string; raw: RawState };

/** Digests of our last writes. */
const written = new Map<string, string>();
const writes = new Map<string, { contents: (Content & { at: number })[]; timer: NodeJS.Timeout }>();

/** Remembers the latest content of a session's file. */
export function rememberText(folder: string, text: string): void {
  const before = texts.get(folder);
  if (text.length > LARGEST_REMEMBERED) texts.delete(folder);
  else texts.set(folder, before === text ? before : text);
}

/** The last good content, if it is remembered. */
export function rememberedText(folder: string): string | null {
  return texts.get(folder) ?? null;
}

/** The author of a text: us, others after us, or unknown, because we have written nothing there yet. */
export function authorOf(folder: string, text: string): 'us' | 'others' | 'unknown' {
  const ours = written.get(folder);
  if (ours === undefined) return 'unknown';
  return ours === digest(text) ? 'us' : 'others';
}

/** Remembers a write of ours for a while, with the replaced content; calls `lookAgain` once after a burst. */
export function rememberWrite(folder: string, before: Content | null, after: Content, lookAgain: () => void): void {
  const at = performance.now();
  const known = writes.get(folder);
  clearTimeout(known?.timer);
  const contents = (known?.contents ?? []).filter((each) => at - each.at < RECENT_MS).slice(-12);
  if (before && contents.at(-1)?.text !== before.text) contents.push({ text: before.text, raw: before.raw, at });
  contents.push({ ...after, at });
  const timer = setTimeout(() => {
    lookAgain();
    if (writes.get(folder)?.timer === timer) writes.delete(folder);
  }, LOOK_AGAIN_MS);
  timer.unref();
  writes.set(folder, { contents, timer });
  rememberText(folder, after.text);
  written.set(folder, digest(after.text));
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('base64');
}

/**
 * A copy of the present content, merged with our writes of the last moments. `jq … > t && mv t ui_state.json` reads
 * before our write and replaces after it: it began from the version that it differs from least. A content equal to an
 * earlier version was put back on purpose.
 */
export function withOurRecentChanges(folder: string, now: Content): RawState {
  const contents = writes.get(folder)?.contents ?? [];
  const last = contents.at(-1);
  if (!last || last.text === now.text || performance.now() - last.at > RECENT_MS) return structuredClone(now.raw);
  let base = last;
  let least = distance(last.raw, now.raw);
  for (const each of contents.toReversed()) {
    const differs = distance(each.raw, now.raw);
    if (differs < least) [base, least] = [each, differs];
  }
  if (base === last || least === 0) return structuredClone(now.raw);
  return structuredClone(mergeEdits(base.raw, now.raw, last.raw)) as RawState;
}

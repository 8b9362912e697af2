import { join } from 'node:path';
import { ifUnreadable, logged, repeatedly } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import type { Notices } from '../../live/notices.js';
import { log } from '../../log.js';
import type { DiskFacts } from '../../telemetry/disk.js';
import { gigabytes } from '../preflight/space.js';
import type { PurgePlan } from '../retention/facts.js';
import { type Keeping, planPurge } from '../retention/plan.js';
import { purge } from '../retention/purge.js';
import { recordPurged } from '../retention/record.js';
import { emptyEntry, listTrash, trashFolder } from '../retention/trash.js';

const LOOK_MS = 60_000;
/** A disk with less free space than this share is nearly full. */
const LITTLE_SHARE = 0.05;
/** For so long what would help is told as it was found. */
const ADVICE_MS = 600_000;
const FILE = '.trackside-purge.json';
const ABOUT = 'nearly full disk';

/** What stands around it; the clock and the disk of this machine in all but tests. */
export type Around = { now(): Date; disk(): Promise<DiskFacts | null> };

/**
 * Cleans up once a night, also when the pod slept through it; empties the trash, the oldest first, while the disk is nearly full;
 * and says then what would help most.
 */
export function watchRetention(keeping: Keeping & { notices: Notices }, { now, disk }: Around) {
  const { settings, outputs, notices } = keeping;
  const place = join(outputs.root, FILE);
  let advisedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    try {
      await cleanIfDue();
    } finally {
      // A full disk is what a cleanup may have failed of.
      await makeRoom();
    }
  }

  async function cleanIfDue(): Promise<void> {
    if (settings.retentionDays === 0 || (await outputs.list()).length === 0) return;
    // Nothing is written under a mount point without its volume.
    outputs.requireRoot();
    const last = await lastNight();
    const at = now();
    // The first night is to come: whoever begins with old sessions sees first what would go.
    if (last === null) return remember(at);
    if (!isDue(last, at, settings.purgeHour)) return;
    await remember(at);
    await purge(keeping, { days: settings.retentionDays }, 'nightly', at);
  }

  async function lastNight(): Promise<Date | null> {
    const text = await readText(place, 4096, 'refused').catch(ifUnreadable('', 'retention'));
    const at = new Date(String((jsonOrNull(text) as { last_night?: unknown } | null)?.last_night));
    return Number.isNaN(at.getTime()) ? null : at;
  }

  /** On a full disk it can't: then the cleanup, which makes room, is done again with the next look. */
  const remember = (at: Date) =>
    writeWhole(place, `${JSON.stringify({ last_night: at.toISOString() })}\n`).catch(
      logged('retention', 'The night of the cleanup could not be remembered.'),
    );

  async function makeRoom(): Promise<void> {
    if (!(await isNearlyFull())) return endAdvice();
    for (const { entry } of (await listTrash(outputs.root)).toReversed()) {
      const { bytes, paths } = await emptyEntry(outputs.root, entry);
      log.warn('retention', 'The disk is nearly full: the oldest of the trash was removed.', { entry, bytes });
      const path = join(trashFolder(outputs.root), entry);
      const reason = `The disk was nearly full. It held ${paths.slice(0, 5).join(', ')}.`;
      const [at, by, kind] = [now().toISOString(), 'full disk', 'trash'] as const;
      await recordPurged(outputs.root, [{ at, by, kind, of: entry, path, files: [], bytes, reason, entry: null }]);
      if (!(await isNearlyFull())) return endAdvice();
    }
    if (performance.now() - advisedAt < ADVICE_MS) return;
    advisedAt = performance.now();
    notices.tell(ABOUT, adviceOf(await planPurge(keeping, { days: 0 }, now())));
  }

  function endAdvice(): void {
    advisedAt = Number.NEGATIVE_INFINITY;
    notices.end(ABOUT);
  }

  async function isNearlyFull(): Promise<boolean> {
    const facts = await disk();
    return facts !== null && facts.free_bytes < facts.total_bytes * LITTLE_SHARE;
  }

  const looking = repeatedly('retention', LOOK_MS, look);
  return {
    open() {
      looking.open();
      void looking.now();
    },
    close: looking.close,
    /** Looks at once. */
    look,
  };
}

/** Has the hour of the night passed since the last cleanup? By the clock of this machine. Pure. */
export function isDue(last: Date, now: Date, hour: number): boolean {
  const night = new Date(now);
  night.setHours(hour, 0, 0, 0);
  if (night > now) night.setDate(night.getDate() - 1);
  return last < night;
}

/** What would make room, the most first. Pure. */
export function adviceOf({ items, bytes }: PurgePlan): string {
  const of = new Map<string, number>();
  for (const item of items) of.set(item.of, (of.get(item.of) ?? 0) + item.bytes);
  const most = [...of].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const full = 'The disk is nearly full.';
  if (bytes === 0)
    return `${full} A cleanup has nothing to remove: delete sessions or models that you don’t need, or choose a larger disk.`;
  const named = most.map(([name, each]) => `${name} ${gigabytes(each)}`).join(', ');
  return `${full} A cleanup would free ${gigabytes(bytes)} and keep all weights: ${named}. See the Cleanup page.`;
}

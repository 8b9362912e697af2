import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ifMissing, logged } from '../../caught.js';
import { streamRegular } from '../../files/regularFile.js';
import type { Hub } from '../../live/hub.js';
import type { NoticeKind } from '../../notices/notice.js';
import type { Outbox } from '../../notices/outbox.js';
import type { ConsoleEvent, Memory } from '../../trainers/console.js';
import type { AttemptFacts, SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { isAliveOrPending } from '../status/alive.js';
import { alertNotice, endNotice, type NoticeWords, queueNotice, retryNotice, stallNotice } from './noticeWords.js';
import { OUT_OF_MEMORY, willRetry } from './retrySmaller.js';

/** What ended longer ago is old, whatever happened to this sidecar meanwhile. */
const LATELY_MS = 24 * 3_600_000;

export type NoticeParts = NoticeWords & { outputs: Outputs; hub: Hub; outbox: Outbox };

/**
 * Tells people who are elsewhere how sessions end, that they stand still, what a script says with `run.alert`, and that
 * nothing is left to do. What happened while no sidecar ran is told by the next one.
 */
export function watchForNotices(parts: NoticeParts) {
  const { outputs, hub, outbox, store } = parts;
  let leave = () => {};
  let leaveConsole = () => {};
  /** Attempts whose reports were read to their end. */
  const alertsRead = new Set<string>();

  function look(name: string): void {
    const facts = outputs.facts(name);
    const latest = facts?.attempts.at(-1);
    if (!facts || !latest) return;
    const kind = endOf(facts);
    if (isAliveOrPending(facts)) tellStall(facts, latest);
    if (!isNew(latest)) return;
    if (kind) void tellEnd(kind, name).catch(failed(name));
    if (facts.queue && facts.retried_smaller && latest.reason_code === OUT_OF_MEMORY)
      void outbox.tell(retryNotice(facts, latest, facts.retried_smaller, parts)).catch(failed(name));
    // One that began and ended between two looks, or while no sidecar ran, was followed by nobody.
    void readAlerts(name).catch(failed(name));
    void tellEmpty().catch(failed(name));
  }

  function tellStall(facts: SessionFacts, latest: AttemptFacts): void {
    if (facts.stalled_seconds === null) return;
    void outbox.tell(stallNotice(facts, latest, parts)).catch(failed(facts.name));
  }

  async function readAlerts(name: string): Promise<void> {
    const { folder, dialect, latest } = await outputs.read(name);
    const { file, read } = dialect.console;
    if (file === null || !latest || alertsRead.has(latest.id)) return;
    alertsRead.add(latest.id);
    let memory: Memory = null;
    for await (const block of textOf(join(folder, file))) {
      const piece = read(memory, block, latest.id);
      memory = piece.memory;
      say(name, piece.events);
    }
  }

  async function tellEnd(kind: NoticeKind, name: string): Promise<void> {
    const session = await outputs.read(name);
    const { facts, dialect } = session;
    const latest = facts.attempts.at(-1);
    // Somebody was quicker, and has started it again.
    if (!latest || endOf(facts) !== kind || willRetry(session)) return;
    const picture = facts.newest_sample && join(facts.output_path, dialect.samples.folder, facts.newest_sample);
    await outbox.tell({ ...endNotice(kind, facts, latest, parts), picture });
  }

  /** Once after the last training has ended, and none waits or is about to resume by itself. */
  async function tellEmpty(): Promise<void> {
    if (store.now().silent.includes('queue_empty')) return;
    const all = await outputs.list();
    if (all.some((facts) => isAliveOrPending(facts) || facts.auto_resume.will)) return;
    const ended = all.flatMap((facts) => facts.attempts.at(-1) ?? []).filter(isNew);
    const last = ended.sort((a, b) => String(b.ended_at).localeCompare(String(a.ended_at)))[0];
    if (last) await outbox.tell(queueNotice(last, parts));
  }

  /** Is the end of an attempt news to this person? */
  function isNew({ ended_at }: AttemptFacts): boolean {
    const { since } = store.now();
    if (ended_at === null || since === null) return false;
    const at = Date.parse(ended_at);
    return at >= Date.parse(since) && Date.now() - at < LATELY_MS;
  }

  function say(name: string, events: readonly ConsoleEvent[]): void {
    const facts = outputs.facts(name);
    const latest = facts?.attempts.at(-1);
    if (!facts || !latest) return;
    const { since } = store.now();
    for (const event of events) {
      if (event.type !== 'alert' || since === null || event.at * 1000 < Date.parse(since)) continue;
      void outbox.tell(alertNotice(event, facts, latest, parts)).catch(failed(name));
    }
  }

  const failed = (name: string) => logged('notices', 'A notice could not be put into the outbox.', name);

  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') look(event.name);
      });
      leaveConsole = outputs.onConsole(say);
      for (const { name } of await outputs.list()) look(name);
    },
    close() {
      leave();
      leaveConsole();
    },
  };
}

/** The notice of a session that has ended by itself. Nobody is told of their own stop. */
function endOf({ status, interrupted }: SessionFacts): NoticeKind | null {
  if (status === 'completed' || status === 'failed') return status;
  return status === 'stopped' && interrupted ? 'interrupted' : null;
}

/** The text of a file, which may be missing. */
async function* textOf(path: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  try {
    for await (const block of streamRegular(path)) yield decoder.write(block);
  } catch (error) {
    ifMissing(undefined)(error);
  }
}

import { statSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Hub } from '../live/hub.js';
import { Problem } from '../problem.js';
import { beatForRunner } from '../processes/heartbeat.js';
import { liveness } from '../processes/liveness.js';
import { type Follower, followAttempt } from '../telemetry/follow.js';
import { beginProgress, publicProgress, readProgress } from '../telemetry/progress.js';
import type { ConsoleEvent } from '../trainers/consoleLines.js';
import { isTemporary, sweepTemporary } from '../wholeFile.js';
import type { SessionFacts } from './facts.js';
import { isResting, type KnownFacts, readKnownFacts, writeKnownFacts } from './knownFacts.js';
import { isSessionName } from './names.js';
import { putBackLastGood } from './putBack.js';
import { readSession, type Session } from './session.js';
import { signatureOf, updateStateFile, withSessionLock } from './stateFile.js';
import type { AttemptEntry, RawState } from './uiState.js';

/** How often everything is looked at: other programs, other pods and people change files too. */
const LOOK_MS = 600;
/** Sessions that are read again on each look although nothing seems to have changed: deep changes have no sign. */
const REREAD = 5;
/** So many are looked at before others get their turn: two stats each, some milliseconds in all. */
const SLICE = 200;
/** First readings at the same time. */
const READERS = 8;
/** What rests is written down so often, if anything changed, and at the end. */
const REMEMBER_MS = 300_000;

const CATCH_UP_MS = 300;

/** All sessions of an outputs folder, as they are now. */
export type Outputs = {
  root: string;
  /** Counts every change of what `list` gives. */
  revision(): number;
  /** Running ones first, then newest first. Statuses of what runs are checked again at this moment. */
  list(): Promise<SessionFacts[]>;
  /** Reads one session anew. Throws a Problem (404) where there is none. */
  read(name: string): Promise<Session>;
  /** Reads one session anew, corrects its file, and tells who watches. Null where there is none. */
  refresh(name: string): Promise<Session | null>;
  /** What is held of a session, without a look at the disk. */
  facts(name: string): SessionFacts | null;
  /** Adds to a session's facts what only this process knows, until it says otherwise. */
  mark(name: string, marks: Marks): void;
  /** Hears what the console of any running session says: saves, steps, phases. */
  onConsole(listener: (name: string, events: ConsoleEvent[]) => void): () => void;
  /** Folds in all that the log of a running session holds by now. */
  catchUp(name: string): Promise<void>;
  /** Begins to look after the folder; resolves when every session was read once. */
  open(): Promise<void>;
  /** Ends the looking. Trainings are not touched. */
  close(): Promise<void>;
};

/** What only this process knows: when it will resume a session by itself, for how long nothing has moved in it. */
export type Marks = {
  stalled_seconds?: number | null;
  in_seconds?: number | null;
  /** Why it was not resumed although it was to be, in words. */
  refused?: string | null;
};

type Held = {
  name: string;
  facts: SessionFacts;
  signature: string;
  attempt: string | null;
  follower: Follower | null;
};

export function openOutputs({ root, hub }: { root: string; hub: Hub }): Outputs {
  const held = new Map<string, Held>();
  /** In the order of the list; null when that may have changed. */
  let sorted: Held[] | null = null;
  let known: KnownFacts = new Map();
  let remembered = -1;
  let reread = 0;
  const marked = new Map<string, Marks>();
  const queues = new Map<string, Promise<unknown>>();
  const queued = new Map<string, Promise<Session | null>>();
  const listeners = new Set<(name: string, events: ConsoleEvent[]) => void>();
  let revision = 0;
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> | null = null;
  /** The first reading of everything: nobody is told a list before it is whole. */
  let opening: Promise<void> = Promise.resolve();
  let closed = false;

  /** One reading of a session at a time, in the order asked for. */
  function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (queues.get(name) ?? Promise.resolve()).catch(() => {}).then(work);
    queues.set(name, turn);
    void turn
      .catch(() => {})
      .finally(() => {
        if (queues.get(name) === turn) queues.delete(name);
      });
    return turn;
  }

  /** Whoever asks while a reading waits for its turn shares it. */
  function refresh(name: string, thorough = false): Promise<Session | null> {
    const key = `${thorough} ${name}`;
    const waiting = queued.get(key);
    if (waiting) return waiting;
    const reading = inTurn(name, () => {
      queued.delete(key);
      return refreshNow(name, thorough);
    });
    queued.set(key, reading);
    return reading;
  }

  async function refreshNow(name: string, thorough: boolean): Promise<Session | null> {
    if (!isSessionName(name)) return null;
    const signature = lookAt(join(root, name));
    const before = held.get(name) ?? null;
    // The last words of a trainer that has just ended belong to its facts.
    if (before?.follower && liveness(join(root, name)).alive === 'no') {
      await before.follower.close();
      before.follower = null;
    }
    let session = await readSession(root, name, before?.follower?.progress() ?? null, thorough);
    if (!session) {
      await before?.follower?.close();
      if (held.delete(name)) {
        sorted = null;
        changed(name);
      }
      return null;
    }
    if (session.file.kind === 'unreadable' && (await putBackLastGood(session.folder).catch(() => null))) {
      session = (await readSession(root, name, before?.follower?.progress() ?? null, thorough)) ?? session;
    }
    if (session.entries.some(isTemporary)) await sweepTemporary(session.folder);
    if (needsCorrection(session)) session = (await correct(session)) ?? session;
    session = { ...session, facts: withMarks(session.facts, marked.get(name)) };
    const attempt = session.latest?.id ?? null;
    let follower = before?.follower ?? null;
    if (follower && before?.attempt !== attempt) {
      await follower.close();
      follower = null;
    }
    if (!follower && !closed && session.liveness.alive !== 'no' && session.latest) {
      follower = follow(session, session.latest);
      // What the log holds by now belongs to what is told first, unless it takes long to read.
      await Promise.race([follower.catchUp(), wait(CATCH_UP_MS)]);
    }
    // The console may have gone on while the folder was read: what is told never goes back.
    if (follower) session = { ...session, facts: withProgress(session.facts, follower) };
    const unchanged = before && sameFacts(before.facts, session.facts);
    hold({ name, facts: session.facts, signature, attempt, follower });
    if (!unchanged) changed(name);
    return session;
  }

  function hold(now: Held): void {
    const before = held.get(now.name);
    if (!before || order(before.facts, now.facts) !== 0) sorted = null;
    if (before) Object.assign(before, now);
    else held.set(now.name, now);
  }

  function changed(name: string): void {
    revision += 1;
    hub.tell({ type: 'session', name });
  }

  function follow(session: Session, entry: AttemptEntry): Follower {
    const { name, folder } = session;
    const stored = readProgress(folder);
    const epochs = session.state?.max_train_epochs ?? null;
    const progress =
      stored?.attempt === entry.id
        ? stored
        : beginProgress({
            id: entry.id,
            step: entry.step_offset,
            epoch: entry.first_epoch - 1,
            epochs,
            before: stored,
            now: new Date(),
          });
    return followAttempt({
      folder,
      stepOffset: entry.step_offset,
      logStart: entry.log_start,
      progress,
      onText: (piece) => hub.tell({ type: 'log', name, ...piece }),
      onProgress(now, events) {
        const present = held.get(name);
        if (present) {
          const { status } = present.facts;
          const firstStep = status === 'starting' && (now.console.step ?? 0) > 0;
          present.facts = { ...present.facts, status: firstStep ? 'running' : status, progress: publicProgress(now) };
          changed(name);
          if (firstStep || events.some((event) => event.type !== 'step')) void refresh(name).catch(() => {});
        }
        for (const listener of listeners) listener(name, events);
      },
    });
  }

  async function look(): Promise<void> {
    const names = await sessionFolders(root);
    const there = new Set(names);
    for (const name of held.keys()) if (!there.has(name)) await refresh(name);
    const stale: string[] = [];
    for (const [index, name] of names.entries()) {
      if (index % SLICE === SLICE - 1) await yieldToOthers();
      if (isStale(name)) stale.push(name);
    }
    const again = Array.from(
      { length: Math.min(REREAD, names.length) },
      (_, index) => names[(reread + index) % names.length],
    );
    reread += REREAD;
    const reading = new Set([...stale, ...again.filter((name) => name !== undefined)]).values();
    const read = async () => {
      for (const name of reading) {
        if (closed) return;
        // One folder that can't be read must not hide the others.
        await refresh(name).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: READERS }, read));
  }

  /** Has a session to be read (again)? What an earlier sidecar knew of the very same files is taken over. */
  function isStale(name: string): boolean {
    const folder = join(root, name);
    const present = held.get(name);
    const signature = lookAt(folder);
    if (!present) {
      const earlier = known.get(name);
      if (earlier?.signature !== signature) return true;
      hold({ name, facts: withMarks(earlier.facts, marked.get(name)), signature, attempt: null, follower: null });
      return false;
    }
    if (!present.follower) return present.signature !== signature;
    const life = liveness(folder);
    if (life.alive === 'here' && life.by !== 'runner') beatForRunner(folder);
    // A running session's folder changes with every write of progress.json: only its record counts.
    return life.alive === 'no' || recordIn(present.signature) !== recordIn(signature);
  }

  /** Writes down what rests, for the next start. */
  async function remember(): Promise<void> {
    if (revision === remembered) return;
    remembered = revision;
    const resting = [...held].filter(([, { follower, facts }]) => !follower && isResting(facts));
    await writeKnownFacts(root, new Map(resting.map(([name, { signature, facts }]) => [name, { signature, facts }])));
  }

  return {
    root,
    revision: () => revision,
    async list() {
      await opening;
      for (const [name, { follower }] of held) {
        if (follower && liveness(join(root, name)).alive === 'no') await refresh(name).catch(() => {});
      }
      sorted ??= [...held.values()].sort((a, b) => order(a.facts, b.facts) || a.name.localeCompare(b.name));
      return sorted.map(({ facts }) => facts);
    },
    async read(name) {
      const session = await refresh(name, true);
      if (!session) throw new Problem('no_session', 404, `There is no session called ${name}.`, { link: 'sessions' });
      return session;
    },
    refresh: (name) => refresh(name),
    facts: (name) => held.get(name)?.facts ?? null,
    mark(name, marks) {
      marked.set(name, marks);
      const present = held.get(name);
      if (!present) return;
      const facts = withMarks(present.facts, marks);
      if (sameFacts(present.facts, facts)) return;
      present.facts = facts;
      changed(name);
    },
    onConsole(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async catchUp(name) {
      await held.get(name)?.follower?.catchUp();
    },
    async open() {
      opening = (async () => {
        await mkdir(root, { recursive: true });
        known = await readKnownFacts(root);
        await look();
        known.clear();
      })();
      await opening;
      let rememberedAt = performance.now();
      timer = setInterval(() => {
        if (performance.now() - rememberedAt > REMEMBER_MS) {
          rememberedAt = performance.now();
          void remember();
        }
        looking ??= look()
          .catch(() => {})
          .finally(() => {
            looking = null;
          });
      }, LOOK_MS);
      timer.unref();
    },
    async close() {
      closed = true;
      if (timer) clearInterval(timer);
      await looking;
      await remember();
      await Promise.all([...held.values()].map(({ follower }) => follower?.close()));
    },
  };
}

function withProgress(facts: SessionFacts, follower: Follower): SessionFacts {
  const now = follower.progress();
  const begun = facts.status === 'starting' && (now.console.step ?? 0) > 0;
  return { ...facts, status: begun ? 'running' : facts.status, progress: publicProgress(now) };
}

function withMarks(facts: SessionFacts, marks: Marks | undefined): SessionFacts {
  const { will, reason } = facts.auto_resume;
  return {
    ...facts,
    stalled_seconds: marks?.stalled_seconds ?? null,
    auto_resume: {
      ...facts.auto_resume,
      will: will && !marks?.refused,
      in_seconds: will ? (marks?.in_seconds ?? null) : null,
      reason: reason ?? marks?.refused ?? null,
    },
  };
}

/** Does the file say something else than the evidence? What has no attempt of ours is left alone unless it claims to live. */
function needsCorrection({ file, facts, settledNow, state, liveness, byHand }: Session): boolean {
  if (file.kind !== 'whole' || facts.status === 'pending') return false;
  // Its own sidecar keeps the file, and knows better; two that correct each other never end.
  if (liveness.alive === 'elsewhere') return false;
  // Another pod over the same folder does not see who runs here by hand.
  if (byHand) return settledNow;
  if (settledNow) return true;
  if (state?.status === facts.status) return false;
  return (state?.attempts.length ?? 0) > 0 || ['starting', 'running', 'stopping'].includes(state?.status ?? '');
}

/** Writes the evidence into the file, under the lock: another sidecar may be about to start the session. */
async function correct(session: Session): Promise<Session | null> {
  const { folder, name } = session;
  try {
    return await withSessionLock(folder, async () => {
      const present = await readSession(join(folder, '..'), name, null);
      if (!present || present.facts.status === 'pending') return present;
      await updateStateFile(folder, (raw) => record(raw, present));
      return present;
    });
  } catch {
    // A full or read-only disk: what is shown is right all the same, and the next look tries again.
    return null;
  }
}

function record(raw: RawState, { facts, latest, settledNow }: Session): void {
  raw.status = facts.status;
  if (facts.status === 'failed' && facts.reason) raw.error = facts.reason;
  else if (facts.status !== 'failed') delete raw.error;
  if (facts.completed_at) raw.completed_at = facts.completed_at;
  if (facts.status === 'completed' && facts.final_checkpoint) {
    raw.outputs = { ...(raw.outputs as object | undefined), final_checkpoint: facts.final_checkpoint };
  }
  if (settledNow && latest) editAttempt(raw, latest.id, latest);
}

/** Changes one attempt in a raw record; what else the user put into it stays. */
export function editAttempt(raw: RawState, id: string, change: Partial<AttemptEntry>): void {
  const attempts = (raw.attempts ?? []) as AttemptEntry[];
  raw.attempts = attempts.map((each) => (each.id === id ? { ...each, ...change } : each));
}

/**
 * A sign of change that costs two stats: files replaced, added or removed at the top of the folder, and ui_state.json
 * edited in place. What lives is told by its console and its heartbeat.
 */
function lookAt(folder: string): string {
  const stats = [folder, `${folder}/ui_state.json`].map((path) => statSync(path, { throwIfNoEntry: false }));
  return stats.map((each) => (each ? signatureOf(each) : '-')).join(' ');
}

/** The part of a sign of change that is about ui_state.json. */
function recordIn(signature: string): string {
  return signature.slice(signature.indexOf(' ') + 1);
}

async function sessionFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && isSessionName(entry.name)).map((entry) => entry.name);
}

function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 4));
}

function sameFacts(a: SessionFacts, b: SessionFacts): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const LIVE = ['starting', 'running', 'stopping', 'pending'];

function order(a: SessionFacts, b: SessionFacts): number {
  const live = Number(LIVE.includes(b.status)) - Number(LIVE.includes(a.status));
  return live || begun(b) - begun(a);
}

/** When a session was last begun, or made. */
function begun(facts: SessionFacts): number {
  const [last] = facts.attempts.slice(-1);
  if (last) return Date.parse(last.started_at);
  return facts.timestamp === null ? Date.parse(facts.created_at) : facts.timestamp * 1000;
}

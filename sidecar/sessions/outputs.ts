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
import { readBrief, readBriefLater } from './brief.js';
import type { SessionFacts } from './facts.js';
import { isResting, type KnownFacts, readKnownFacts, writeKnownFacts } from './knownFacts.js';
import { isSessionName } from './names.js';
import { putBackLastGood } from './putBack.js';
import { readSession, type Session } from './session.js';
import { recordIn, signLater, signOf, takeSigns } from './signs.js';
import { updateStateFile, withSessionLock } from './stateFile.js';
import type { AttemptEntry, RawState } from './uiState.js';

/** How often everything is looked at: other programs, other pods and people change files too. */
const LOOK_MS = 600;
/** With thousands of sessions less often, so that it takes a twelfth of one core at most; but no less often than this. */
const LONGEST_LOOK_MS = 1300;
const SHARE = 12;
/** Sessions that are read again on each look although nothing seems to have changed: deep changes have no sign. */
const REREAD = 5;
/** Readings at the same time. */
const READERS = 8;
/** So long the list may wait at the start for sessions to be read whole; the others follow by and by. */
const WHOLE_FIRST_MS = 1000;
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
  /** Reads those of these sessions whole that were only read in brief so far (see `SessionFacts.looked_into`). */
  lookInto(names: readonly string[]): Promise<void>;
  /** Begins to look after the folder; resolves when the list is ready, though much of it may be read in brief. */
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
    const signature = signOf(join(root, name));
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
    if (!before || order(keyOf(before.facts), keyOf(now.facts)) !== 0) sorted = null;
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

  /** Looks at everything once; resolves to the milliseconds that it took, its waiting not counted. */
  async function look(): Promise<number> {
    const names = await sessionFolders(root);
    const there = new Set(names);
    for (const name of held.keys()) if (!there.has(name)) await refresh(name);
    const stale: string[] = [];
    const take = (name: string, signature: string) => {
      if (isStale(name, signature)) stale.push(name);
    };
    const took = await takeSigns(root, names, take, { restful: true, isOver: () => closed });
    const again = Array.from(
      { length: Math.min(REREAD, names.length) },
      (_, index) => names[(reread + index) % names.length],
    );
    reread += REREAD;
    await readAll([...stale, ...again.filter((name) => name !== undefined)]);
    return took;
  }

  /** Reads sessions whole, until it is enough. One folder that can't be read must not hide the others. */
  async function readAll(names: readonly string[], isEnough: () => boolean = () => false): Promise<void> {
    const reading = new Set(names).values();
    const read = async () => {
      for (const name of reading) {
        if (closed || isEnough()) return;
        await refresh(name).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: READERS }, read));
  }

  /** Makes the list: from what an earlier sidecar knew of the very same files, from the records, whole where need be. */
  async function lookFirst(): Promise<void> {
    const closer: string[] = [];
    const take = (name: string, signature: string, facts: SessionFacts | null) => {
      if (facts) hold({ name, facts: withMarks(facts, marked.get(name)), signature, attempt: null, follower: null });
      else closer.push(name);
    };
    const begun = performance.now();
    const each = (name: string, signature: string, slow: boolean) => {
      const earlier = known.get(name);
      if (earlier?.signature === signature) return take(name, signature, earlier.facts);
      if (!slow) return take(name, signature, readBrief(root, name, signature));
      return readBriefLater(root, name, signature).then((facts) => take(name, signature, facts));
    };
    await takeSigns(root, await sessionFolders(root), each, { quick: true });
    await readAll(closer);
    await readAll(namesInBrief(), () => performance.now() - begun > WHOLE_FIRST_MS);
  }

  /** Reads whole, one after the other and with pauses as long, what was only read in brief. */
  async function readRest(): Promise<void> {
    for (const name of namesInBrief()) {
      if (closed) return;
      const begun = performance.now();
      if (!held.get(name)?.facts.looked_into && !(await takeOver(name))) await refresh(name).catch(() => {});
      await wait(performance.now() - begun);
    }
    known.clear();
  }

  /** Is what an earlier sidecar knew of a session still so? A slow disk was not asked at first. */
  async function takeOver(name: string): Promise<boolean> {
    const earlier = known.get(name);
    if (!earlier || earlier.signature !== (await signLater(join(root, name)))) return false;
    const present = held.get(name);
    if (!present || present.follower || present.facts.looked_into) return true;
    hold({ ...present, facts: withMarks(earlier.facts, marked.get(name)), signature: earlier.signature });
    changed(name);
    return true;
  }

  /** In the order of the list. */
  function namesInBrief(): string[] {
    return inOrder().flatMap(({ name, facts }) => (facts.looked_into ? [] : [name]));
  }

  function inOrder(): Held[] {
    sorted ??= [...held.values()]
      .map((each) => ({ each, key: keyOf(each.facts) }))
      .sort((a, b) => order(a.key, b.key) || (a.each.name < b.each.name ? -1 : 1))
      .map(({ each }) => each);
    return sorted;
  }

  /** Has a session to be read (again)? */
  function isStale(name: string, signature: string): boolean {
    const folder = join(root, name);
    const present = held.get(name);
    if (!present) return true;
    // Not asked yet, on a slow disk: it is read whole in its turn.
    if (present.signature === '') return false;
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
    const resting: KnownFacts = new Map();
    for (const [name, { follower, facts, signature }] of held) {
      const earlier = known.get(name);
      if (!follower && isResting(facts)) resting.set(name, { signature, facts });
      // Not looked into yet: what was known is still worth a comparison the next time.
      else if (!facts.looked_into && earlier) resting.set(name, earlier);
    }
    await writeKnownFacts(root, resting);
  }

  return {
    root,
    revision: () => revision,
    async list() {
      await opening;
      for (const [name, { follower }] of held) {
        if (follower && liveness(join(root, name)).alive === 'no') await refresh(name).catch(() => {});
      }
      return inOrder().map(({ facts }) => facts);
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
    async lookInto(names) {
      await Promise.all(
        names.map((name) => held.get(name)?.facts.looked_into === false && refresh(name).catch(() => {})),
      );
    },
    async catchUp(name) {
      await held.get(name)?.follower?.catchUp();
    },
    async open() {
      opening = (async () => {
        await mkdir(root, { recursive: true });
        known = await readKnownFacts(root);
        await lookFirst();
      })();
      await opening;
      void readRest();
      let rememberedAt = performance.now();
      const lookAgain = (ms: number) => {
        if (closed) return;
        timer = setTimeout(() => {
          if (performance.now() - rememberedAt > REMEMBER_MS) {
            rememberedAt = performance.now();
            void remember();
          }
          const begun = performance.now();
          looking = look()
            .catch(() => 0)
            .then((took) => {
              const every = Math.min(LONGEST_LOOK_MS, Math.max(LOOK_MS, took * SHARE));
              lookAgain(Math.max(0, every - (performance.now() - begun)));
            });
        }, ms);
        timer.unref();
      };
      lookAgain(LOOK_MS);
    },
    async close() {
      closed = true;
      if (timer) clearTimeout(timer);
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

async function sessionFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && isSessionName(entry.name)).map((entry) => entry.name);
}

function sameFacts(a: SessionFacts, b: SessionFacts): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const LIVE = ['starting', 'running', 'stopping', 'pending'];

type Key = { live: boolean; begun: number };

function keyOf(facts: SessionFacts): Key {
  return { live: LIVE.includes(facts.status), begun: begun(facts) };
}

function order(a: Key, b: Key): number {
  return Number(b.live) - Number(a.live) || b.begun - a.begun;
}

/** When a session was last begun, or made. */
function begun(facts: SessionFacts): number {
  const [last] = facts.attempts.slice(-1);
  if (last) return Date.parse(last.started_at);
  return facts.timestamp === null ? Date.parse(facts.created_at) : facts.timestamp * 1000;
}

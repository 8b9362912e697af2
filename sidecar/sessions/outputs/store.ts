import type { Hub } from '../../live/hub.js';
import type { Follower } from '../../telemetry/follow.js';
import type { QueueFacts, SessionFacts } from '../facts.js';
import { isAliveOrPending } from '../status/alive.js';

/** A session as it was last read. */
export type StoredSession = {
  name: string;
  facts: SessionFacts;
  /** The folder's fingerprint at the reading (see `fingerprintOf`); '' before a slow disk is read. */
  signature: string;
  /** The newest attempt's id; `follower` follows it while it lives. */
  attempt: string | null;
  follower: Follower | null;
};

/** This process's own knowledge: the time of an auto-resume, the length of a standstill. */
export type Marks = {
  stalled_seconds?: number | null;
  in_seconds?: number | null;
  /** Why a due auto-resume did not happen, in words. */
  refused?: string | null;
  /** What it waits for in the queue. */
  queue?: Pick<QueueFacts, 'place' | 'waits'>;
};

export type Store = ReturnType<typeof createStore>;

/** All sessions as they were last read, in memory. */
export function createStore(hub: Hub) {
  const sessions = new Map<string, StoredSession>();
  const marked = new Map<string, Marks>();
  /** Null when the order may have changed. */
  let sorted: StoredSession[] | null = null;
  let revision = 0;

  function changed(name: string): void {
    revision += 1;
    hub.tell({ type: 'session', name });
  }

  /** Running ones first, then newest first. */
  function inOrder(): StoredSession[] {
    sorted ??= [...sessions.values()]
      .map((each) => ({ each, key: keyOf(each.facts) }))
      .sort((a, b) => order(a.key, b.key) || (a.each.name < b.each.name ? -1 : 1))
      .map(({ each }) => each);
    return sorted;
  }

  const held = {
    get: (name: string) => sessions.get(name),
    all: (): Iterable<StoredSession> => sessions.values(),
    inOrder,
    /** Those that were only summarised so far, in the order of the list. */
    inBrief: () => inOrder().flatMap(({ name, facts }) => (facts.looked_into ? [] : [name])),
    /** The attempts of sessions that live. */
    living: () =>
      new Set([...sessions.values()].flatMap(({ attempt, follower }) => (follower && attempt ? [attempt] : []))),
    /** A counter of changes. */
    revision: () => revision,
    size: () => sessions.size,
    /** Stores a reading, and informs watchers if the facts changed. */
    hold(now: StoredSession): void {
      const before = sessions.get(now.name);
      const same = before && sameFacts(before.facts, now.facts);
      if (same) now = { ...now, facts: before.facts };
      if (!before || order(keyOf(before.facts), keyOf(now.facts)) !== 0) sorted = null;
      if (before) Object.assign(before, now);
      else sessions.set(now.name, now);
      if (!same) changed(now.name);
    },
    /** Removes a deleted session. */
    drop(name: string): void {
      if (!sessions.delete(name)) return;
      sorted = null;
      changed(name);
    },
    /** Stores facts that became known without a reading. */
    tellFacts(name: string, facts: SessionFacts): void {
      const present = sessions.get(name);
      if (present) held.hold({ ...present, facts });
    },
    /** Adds this process's own knowledge to a session's facts, until changed. */
    mark(name: string, marks: Marks): void {
      marked.set(name, { ...marked.get(name), ...marks });
      const present = sessions.get(name);
      if (present) held.tellFacts(name, held.withMarks(name, present.facts));
    },
    withMarks(name: string, facts: SessionFacts): SessionFacts {
      const marks = marked.get(name);
      const { will, reason } = facts.auto_resume;
      return {
        ...facts,
        stalled_seconds: marks?.stalled_seconds ?? null,
        queue: facts.queue && { ...facts.queue, ...marks?.queue },
        auto_resume: {
          ...facts.auto_resume,
          will: will && !marks?.refused,
          in_seconds: will ? (marks?.in_seconds ?? null) : null,
          reason: reason ?? marks?.refused ?? null,
        },
      };
    },
  };
  return held;
}

function sameFacts(a: SessionFacts, b: SessionFacts): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

type Key = { live: boolean; begun: number };

function keyOf(facts: SessionFacts): Key {
  return { live: isAliveOrPending(facts), begun: begun(facts) };
}

function order(a: Key, b: Key): number {
  return Number(b.live) - Number(a.live) || b.begun - a.begun;
}

/** The last start of a session, or its creation. */
function begun(facts: SessionFacts): number {
  const [last] = facts.attempts.slice(-1);
  if (last) return Date.parse(last.started_at);
  return facts.timestamp === null ? Date.parse(facts.created_at) : facts.timestamp * 1000;
}

import { repeatedly } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';

const LOOK_MS = 250;
/** The most seconds that count between two looks: after more, this process or the machine was asleep. */
const MOST_SECONDS_A_LOOK = 2;

/** A watcher of sessions, called four times a second. */
export type Looker = {
  /** Sessions to look at without an event. */
  also(): Iterable<string>;
  /** `facts` is null for a deleted session. `elapsed`: seconds since the last round. */
  look(name: string, facts: SessionFacts | null, elapsed: number): void;
};

/**
 * Calls a watcher with changed sessions. Time is counted by the monotonic clock, look by look: no jump of a clock and
 * no sleep of the pod resumes or ends anything.
 */
export function lookRepeatedly({ outputs, hub }: { outputs: Outputs; hub: Hub }, looker: Looker) {
  const changed = new Set<string>();
  let leave = () => {};
  let lookedAt = 0;

  function look(): void {
    const now = performance.now();
    const elapsed = Math.min((now - lookedAt) / 1000, MOST_SECONDS_A_LOOK);
    lookedAt = now;
    const names = new Set([...changed, ...looker.also()]);
    changed.clear();
    for (const name of names) looker.look(name, outputs.facts(name), elapsed);
  }

  const looking = repeatedly('sessions', LOOK_MS, look);
  return {
    /** Looks at all sessions first, and from then on at those that changed. Call it once `outputs` is open. */
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') changed.add(event.name);
      });
      for (const { name } of await outputs.list()) changed.add(name);
      lookedAt = performance.now();
      looking.open();
    },
    close() {
      looking.close();
      leave();
    },
    /** Adds a session to the next round. */
    soon: (name: string) => void changed.add(name),
  };
}

import { repeated } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';

const LOOK_MS = 250;
/** A look that comes later than this saw nothing of the time between: this process was asleep, or the machine. */
const MOST_SECONDS_A_LOOK = 2;

/** Who looks after sessions, four times a second. */
export type Looker = {
  /** Sessions to look at although nothing was told of them. */
  also(): Iterable<string>;
  /** `facts` null: it is gone. `elapsed`: seconds since the last look at anything. */
  look(name: string, facts: SessionFacts | null, elapsed: number): void;
};

export type Looks = {
  /** Looks at all sessions first, and from then on at those that changed. Call it once `outputs` is open. */
  open(): Promise<void>;
  close(): void;
  /** Looks at a session the next time. */
  soon(name: string): void;
};

/**
 * Time is counted by the monotonic clock, look by look, so that neither a clock that jumps nor a pod that slept resumes or
 * ends anything.
 */
export function lookRepeatedly({ outputs, hub }: { outputs: Outputs; hub: Hub }, looker: Looker): Looks {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
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

  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') changed.add(event.name);
      });
      for (const { name } of await outputs.list()) changed.add(name);
      lookedAt = performance.now();
      timer = setInterval(repeated('sessions', look), LOOK_MS);
      timer.unref();
    },
    close() {
      if (timer) clearInterval(timer);
      leave();
    },
    soon: (name) => void changed.add(name),
  };
}

import type { ConsoleEvent } from '../console.js';

/** What the starter of an exact pause says of itself (trainer-bridge/trackside/_exact, `tell`); plain JSON. */
export type ExactState = {
  /** Whether it can be paused after any step; null before it is known. */
  exact: { available: boolean; why: string | null } | null;
  /** The step that this process went on from: its own steps are absolute then. */
  countedFrom: number | null;
  /** The step whose state was saved before it ended. */
  pausedAt: number | null;
  /** It ended before its first step, and saved nothing. */
  leftUnsaved: boolean;
  /** Why the last thing that was asked for could not be done, in words. */
  refused: string | null;
  /** The state that it was to go on from exactly can't be: why, in words. */
  notExactly: string | null;
  /** It is ending at this step, with its weights as the final ones. */
  finishingAt: number | null;
};

export const NOTHING_SAID: ExactState = {
  exact: null,
  countedFrom: null,
  pausedAt: null,
  leftUnsaved: false,
  refused: null,
  notExactly: null,
  finishingAt: null,
};

/** Reads one message, without its "trackside: "; null when it says nothing of these. */
export function readExactLine(message: string): { change: Partial<ExactState>; event: ConsoleEvent | null } | null {
  for (const [pattern, meaning] of MEANINGS) {
    const found = pattern.exec(message);
    if (found) return { event: null, ...meaning(found) };
  }
  return null;
}

type Read = { change: Partial<ExactState>; event?: ConsoleEvent };

const MEANINGS: [pattern: RegExp, meaning: (found: RegExpExecArray) => Read][] = [
  [/^exact pause available$/, () => ({ change: { exact: { available: true, why: null } } })],
  [
    /^exact pause not available: (.+)$/,
    ([, why = '']) => ({ change: { exact: { available: false, why }, countedFrom: null } }),
  ],
  [/^goes on exactly after step (\d{1,15}), /, ([, step]) => ({ change: { countedFrom: Number(step) } })],
  [
    /^not exactly: (.+)\. Goes on plainly after step (\d{1,15}), /,
    ([, why = '', step]) => ({ change: { countedFrom: Number(step), notExactly: why } }),
  ],
  [
    /^paused at step (\d{1,15}): (.+) \([\d.]+ MB in [\d.]+ s\)$/,
    ([, step, path = '']) => ({
      change: { pausedAt: Number(step), refused: null },
      event: { type: 'state-saved', path },
    }),
  ],
  [/^nothing to save: /, () => ({ change: { leftUnsaved: true } })],
  [
    /^(could not \w+(?: at step \d{1,15})?: .+)\. The training goes on$/,
    ([, words = '']) => ({ change: { refused: words }, event: { type: 'refused', words } }),
  ],
  [
    /^saved at step \d{1,15}: (.+) \([\d.]+ MB in [\d.]+ s\)$/,
    ([, path = '']) => ({ change: { refused: null }, event: { type: 'state-saved', path } }),
  ],
  [/^sampled at step \d{1,15}$/, () => ({ change: { refused: null } })],
  [/^finishing at step (\d{1,15})$/, ([, step]) => ({ change: { finishingAt: Number(step) } })],
];

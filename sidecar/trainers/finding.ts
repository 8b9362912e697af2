import type { Subject } from '../problem.js';
import type { ProblemCode } from '../problemStatus.js';

/**
 * A fact to know before a training starts, with its remedy. An error keeps it from running, or ends it at once; with a
 * warning it runs, perhaps not as meant.
 */
export type Finding = Refusal | (Words & { severity: 'warning'; code: string });

export type Refusal = Words & { severity: 'error'; code: ProblemCode };

type Words = More & {
  /** What is wrong and what to do, for people. */
  message: string;
};

type More = {
  /** The form field it belongs to. */
  field?: string;
  /** Where to fix it. */
  about?: Subject;
};

export function error(code: ProblemCode, message: string, more: More = {}): Refusal {
  return { severity: 'error', code, message, ...more };
}

export function warning(code: string, message: string, more: More = {}): Finding {
  return { severity: 'warning', code, message, ...more };
}

import type { Subject } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';

/**
 * What somebody should know before a training starts, with its remedy. With an error it could not run, or would end at once;
 * with a warning it runs, perhaps not as meant.
 */
export type Finding = Refusal | (Words & { severity: 'warning'; code: string });

export type Refusal = Words & { severity: 'error'; code: ProblemCode };

type Words = More & {
  /** What, and what to do: for people. */
  message: string;
};

type More = {
  /** The form field it belongs to. */
  field?: string;
  /** Where to mend it. */
  about?: Subject;
};

export function error(code: ProblemCode, message: string, more: More = {}): Refusal {
  return { severity: 'error', code, message, ...more };
}

export function warning(code: string, message: string, more: More = {}): Finding {
  return { severity: 'warning', code, message, ...more };
}

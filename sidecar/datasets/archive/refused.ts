import { Problem } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';

/** Makes the Problem of an archive that is refused as a whole. `why` follows a colon. */
export function refused(code: ProblemCode, why: string): Problem {
  const remedy = 'None of its files were saved. Make a new, plain zip of the pictures and captions, and upload that.';
  return new Problem(code, `The archive can't be used: ${why}. ${remedy}`);
}

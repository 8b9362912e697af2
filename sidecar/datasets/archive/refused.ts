import { Problem } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';

/** Why nothing of an archive is taken. */
export function refused(code: ProblemCode, why: string): Problem {
  const remedy = 'Nothing of it was saved. Pack the pictures and captions anew, as a plain zip, and upload that.';
  return new Problem(code, `The archive can't be used: ${why}. ${remedy}`);
}

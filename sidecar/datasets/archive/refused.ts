import { Problem } from '../../problem.js';

/** Why nothing of an archive is taken. */
export function refused(code: string, why: string, status: 413 | 422 = 422): Problem {
  const remedy = 'Nothing of it was saved. Pack the pictures and captions anew, as a plain zip, and upload that.';
  return new Problem(code, status, `The archive can't be used: ${why}. ${remedy}`);
}

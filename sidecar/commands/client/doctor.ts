import type { Check } from '../../doctor/check.js';
import { plural } from '../../views/formatting.js';
import { type Door, factsOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { plain, print } from './terminal.js';

const MARKS = { ok: '✓', warning: '!', error: '✗', unknown: '?' } as const;

/** Prints what was checked, with what to do. Throws a Refusal where something is wrong. */
export async function doctor(
  door: Door,
  { json, hub, nodes }: { json?: boolean; hub?: boolean; nodes?: boolean },
): Promise<void> {
  const more = new URLSearchParams({ ...(hub ? { hub: '1' } : {}), ...(nodes ? { nodes: '1' } : {}) });
  const checks = await factsOf<Check[]>(door, 'GET', `diagnostics/checks?${more}`);
  const wrong = checks.filter(({ status }) => status === 'error').length;
  const warnings = checks.filter(({ status }) => status === 'warning').length;
  const lines = checks.flatMap(({ name, status, found, todo }) => [
    `${MARKS[status]} ${name}: ${plain(found)}`,
    ...(todo ? [`    ${plain(todo)}`] : []),
  ]);
  const sum = `${checks.length} checks: ${wrong} wrong, ${plural(warnings, 'warning')}`;
  print(checks, json, () => [...lines, '', sum].join('\n'));
  if (wrong > 0) throw new Refusal(EXIT.failed, `${wrong} of ${checks.length} checks failed.`, null);
}

import type { Comparison } from '../../sessions/versions/compare/facts.js';
import { bytes, count, dollars, duration, loss } from '../../views/formatting.js';
import { type Door, factsOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { print, table } from './terminal.js';

/** Prints sessions side by side: how far they came, and the settings in which they differ. */
export async function compare(door: Door, names: readonly string[], { json }: { json?: boolean }): Promise<void> {
  const query = new URLSearchParams(names.map((name): [string, string] => ['sessions', name]));
  const facts = await factsOf<Comparison>(door, 'GET', `compare?${query}`);
  const { missing } = facts;
  if (missing.length > 0) throw new Refusal(EXIT.missing, `There is no session called ${missing.join(', ')}.`);
  print(facts, json, () => besideEachOther(facts));
}

function besideEachOther({ sessions, settings }: Comparison): string {
  const results = [
    ['status', ...sessions.map(({ status }) => status)],
    ['step', ...sessions.map(({ step }) => count(step))],
    ['trained for', ...sessions.map((each) => duration(each.duration_seconds))],
    ...(sessions.some((each) => each.peak_gpu_memory !== null)
      ? [['most GPU memory', ...sessions.map((each) => bytes(each.peak_gpu_memory))]]
      : []),
    ['last loss', ...sessions.map((each) => loss(each.loss?.last))],
    ...(sessions.some(({ cost }) => cost !== null)
      ? [['cost', ...sessions.map(({ cost }) => (cost === null ? '–' : dollars(cost)))]]
      : []),
    ['best loss', ...sessions.map((each) => loss(each.loss?.best))],
  ];
  const differ = settings.filter(({ differs }) => differs);
  const rows = differ.map(({ name, values }) => [name, ...values.map(shown)]);
  const beside = table(['', ...sessions.map(({ name }) => name)], [...results, ...rows]);
  return differ.length === 0 ? `${beside}\nAll settings are the same.` : beside;
}

function shown(value: unknown): string {
  const text =
    value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

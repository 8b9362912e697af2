import type { Comparison } from '../sessions/versions/compare/facts.js';
import type { ShownCharts } from './charts.js';

/** What of a comparison is shown, as the address says. */
export type ShownComparison = {
  charts: ShownCharts;
  /** Of each session the newest sample up to this step; null for the newest. */
  step: number | null;
  /** What an hour costs, and whether a person typed it; null where unknown. */
  price: number | null;
  typed: boolean;
  /** Sessions as rows; null for what fits. */
  turned: boolean | null;
};

type Address = ((change: Record<string, string>) => string) & {
  /** All of the address but the form of charts itself. */
  given: [string, string][];
  without(name: string): [string, string][];
};

/** The addresses of the same page with something changed. */
export function addresses({ sessions, baseline }: Comparison, shown: ShownComparison): Address {
  const { charts, step, price, typed, turned } = shown;
  const own: [string, string][] = [
    ...sessions.map(({ name }): [string, string] => ['sessions', name]),
    ...optional('baseline', baseline === sessions[0]?.name ? null : baseline),
    ...optional('step', step),
    ...optional('price', typed ? price : null),
    ...optional('turned', turned === null ? null : Number(turned)),
  ];
  const looks: [string, string][] = [
    ...optional('axis', charts.axis === 'step' ? null : charts.axis),
    ...optional('smooth', charts.smooth === 0.9 ? null : charts.smooth),
    ...(['log', 'clip'] as const).flatMap((name) => optional(name, charts[name] ? 1 : null)),
  ];
  const all = [...own, ...looks];
  const change = (changed: Record<string, string>) => {
    const kept = all.filter(([name]) => !(name in changed));
    const query = new URLSearchParams([...kept, ...Object.entries(changed)].filter(([, value]) => value !== ''));
    return `compare?${query}`;
  };
  const without = (name: string) => all.filter(([each]) => each !== name);
  return Object.assign(change, { given: own, without });
}

function optional(name: string, value: string | number | null): [string, string][] {
  return value === null ? [] : [[name, String(value)]];
}

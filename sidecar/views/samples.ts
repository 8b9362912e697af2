import type { SampleFacts } from '../sessions/facts.js';
import { sessionAddress } from './action.js';
import { type CardView, cardView } from './banner.js';
import { count } from './formatting.js';
import type { SamplesModel } from './models.js';

/** Sample pictures by epoch (or step) × prompt, newest first. */
export type SampleGrid = {
  prompts: string[];
  rows: { label: string; cells: (SampleCell | null)[] }[];
  /** Rows that are not shown. */
  more: number;
};
export type SampleCell = { href: string; alt: string };

export function samplesView(model: SamplesModel): { at: string; card: CardView; grid: SampleGrid } {
  const at = sessionAddress(model.root, model.session.name);
  return { at, card: cardView(model.session, model.root), grid: sampleGrid(model, at, Number.POSITIVE_INFINITY) };
}

/** @param most rows to show */
export function sampleGrid(model: { samples: SampleFacts[]; prompts: string[] }, at: string, most: number): SampleGrid {
  const rows = new Map<string, SampleFacts[]>();
  const newestFirst = [...model.samples].sort((a, b) => Date.parse(b.saved_at) - Date.parse(a.saved_at));
  for (const sample of newestFirst) {
    const label = when(sample);
    const row = rows.get(label) ?? [];
    rows.set(label, row);
    // Newest first: a picture made again after a resume stands for the one it replaced.
    row[sample.prompt] ??= sample;
  }
  const columns = Math.max(0, ...[...rows.values()].map((row) => row.length));
  const prompts = Array.from({ length: columns }, (_, i) => promptText(model.prompts[i]) || `prompt ${i + 1}`);
  return {
    prompts,
    rows: [...rows].slice(0, most).map(([label, row]) => ({
      label,
      cells: prompts.map((prompt, i) => {
        const sample = row[i];
        return sample ? { href: `${at}/samples/${encodeURIComponent(sample.name)}`, alt: `${label}: ${prompt}` } : null;
      }),
    })),
    more: Math.max(0, rows.size - most),
  };
}

function when({ epoch, step }: SampleFacts): string {
  if (epoch !== null) return `epoch ${count(epoch)}`;
  return step !== null ? `step ${count(step)}` : 'at start';
}

/** Without the options that sd-scripts takes after the words: "a cat --n blurry --w 512". */
function promptText(line: string | undefined): string {
  return (line ?? '').split(/\s--[a-z]+\s/)[0]?.trim() ?? '';
}

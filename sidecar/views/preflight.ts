import type { Finding } from '../sessions/preflight/finding.js';
import type { Preflight } from '../sessions/preflight/preflight.js';

/** Something that should be known before the start: a word for how bad it is, and where to mend it. */
export type FindingView = { word: string; message: string; href: string | null; go: string };

/** Errors first: with one of them nothing is started. `root` leads to the root of the site. */
export function preflightView(preflight: Preflight | null, root: string): FindingView[] {
  if (!preflight) return [];
  return [...preflight.errors, ...preflight.warnings].map((finding) => findingView(finding, root));
}

function findingView({ severity, message, link }: Finding, root: string): FindingView {
  const place = link?.split(/[/?]/)[0] ?? '';
  return {
    word: severity === 'error' ? 'Cannot start.' : 'Note.',
    message,
    href: link ? `${root}${link}` : null,
    go: PLACES[place] ?? 'Mend it',
  };
}

const PLACES: Record<string, string> = {
  datasets: 'Open the dataset',
  models: 'Open the models',
  new: 'Change the settings',
  sessions: 'Open that session',
};

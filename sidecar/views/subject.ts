import type { Subject } from '../problem.js';

/** The page of a subject: its address, relative to the site's root, and its heading. */
export type Target = { path: string; name: string };

export function pageOf(about: Subject): Target {
  if (typeof about === 'string') return { path: about, name: ROOMS[about] };
  if ('dataset' in about) return { path: `datasets/${encodeURIComponent(about.dataset)}`, name: about.dataset };
  if ('lora' in about) return { path: `loras/${encodeURIComponent(about.lora)}`, name: about.lora };
  if ('newFrom' in about) return { path: `new?from=${encodeURIComponent(about.newFrom)}`, name: 'New training' };
  if ('session' in about) return { path: `sessions/${encodeURIComponent(about.session)}`, name: about.session };
  return { path: `sessions/${encodeURIComponent(about.history)}/history`, name: `History of ${about.history}` };
}

const ROOMS = {
  sessions: 'Sessions',
  datasets: 'Datasets',
  models: 'Models',
  secrets: 'Secrets',
  trainers: 'Trainers',
  templates: 'Templates',
  sweeps: 'Sweeps',
  trash: 'Trash',
};

import { basename } from 'node:path';
import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import type { Preflight } from '../sessions/preflight/preflight.js';
import type { Difference } from '../sessions/provenance/provenance.js';
import { sessionAddress } from './action.js';
import type { PageModel } from './frame.js';
import { preflightView } from './preflight.js';

export type RelaunchModel = PageModel & {
  session: SessionFacts;
  differs: Difference[];
  preflight: Preflight;
  /** Why the relaunch that was asked for did not happen, in words. */
  problem: string | null;
  /** What can be chosen in place of what has moved: names of datasets, trainers, and files by flag. */
  datasets: string[];
  trainers: { id: string; label: string }[];
  models: { flag: string; label: string; files: string[] }[];
};

export type RelaunchView = ReturnType<typeof relaunchView>;

/** Before a session is made again: what differs today, and where what has moved is now. */
export function relaunchView(model: RelaunchModel) {
  const { session, root, preflight, differs } = model;
  const at = sessionAddress(root, session.name);
  const wrong = new Set(preflight.errors.flatMap(({ field }) => field ?? []));
  const flags = (session.settings.arguments ?? {}) as Record<string, unknown>;
  const dataset = session.dataset_path && basename(session.dataset_path);
  return {
    at,
    name: `${session.lora_name} ${versionName(session)}`,
    problem: model.problem,
    before: preflightView(preflight, root, null),
    rows: differs,
    action: `${at}/versions`,
    fields: [
      choice('dataset', 'Dataset', dataset, model.datasets, wrong.has('dataset')),
      choice(
        'trainer',
        'Trainer',
        session.trainer,
        model.trainers.map(({ id }) => id),
        wrong.has('trainer'),
      ),
      ...model.models
        .filter(({ flag }) => flags[flag] !== undefined || wrong.has(`arguments.${flag}`))
        .map(({ flag, label, files }) =>
          choice(`arguments[${flag}]`, label, String(flags[flag] ?? ''), files, wrong.has(`arguments.${flag}`)),
        ),
    ],
    duplicate: `${root}new?from=${encodeURIComponent(session.name)}`,
  };
}

/** As it was by default; everything else here can be chosen in its place. */
function choice(name: string, label: string, was: string | null, all: readonly string[], missing: boolean) {
  return {
    name,
    id: `p-${name.replace(/\W/g, '-')}`,
    label,
    missing,
    asBefore: was ? `As before: ${was}` : 'As before: none',
    options: all.filter((each) => each !== was),
  };
}

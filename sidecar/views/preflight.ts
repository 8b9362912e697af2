import type { Subject } from '../problem.js';
import type { Preflight } from '../sessions/preflight/preflight.js';
import type { Finding } from '../trainers/finding.js';
import { pageOf } from './subject.js';

export type PreflightView = NonNullable<ReturnType<typeof preflightView>>;

/**
 * Errors first: with one of them nothing is started. Null where all is well.
 *
 * @param root leads to the root of the site
 * @param clearCaches where caches are cleared; null where that would not help
 */
export function preflightView(preflight: Preflight | null, root: string, clearCaches: string | null) {
  const found = preflight ? [...preflight.errors, ...preflight.warnings] : [];
  if (found.length === 0 && !clearCaches) return null;
  return { findings: found.map((finding) => findingView(finding, root)), clearCaches };
}

/** Something that should be known before the start: a word for how bad it is, and where to mend it. */
function findingView({ severity, message, about }: Finding, root: string) {
  return {
    word: severity === 'error' ? "Can't start." : 'Note.',
    message,
    href: about ? `${root}${pageOf(about).path}` : null,
    go: goWords(about),
  };
}

function goWords(about: Subject | undefined): string {
  if (about === 'models') return 'Open Models';
  if (typeof about !== 'object') return 'Fix it';
  if ('dataset' in about) return 'Open the dataset';
  return 'newFrom' in about ? 'Change the settings' : 'Open that session';
}

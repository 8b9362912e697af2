import type { HandRunFacts } from '../sessions/facts.js';
import type { PageModel } from './frame.js';
import type { SessionsTableModel } from './sessions.js';
import { activeCount } from './status.js';

export type HomeModel = PageModel &
  SessionsTableModel & {
    /** Trainings that somebody started in a terminal, and that write elsewhere. */
    others?: HandRunFacts[];
  };

/** "(2) Trackside" while two trainings run. */
export function homeTitle({ active }: Pick<PageModel, 'active'>): string {
  return `${activeCount(active)}Trackside`;
}

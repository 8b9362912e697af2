import type { HandRunFacts } from '../sessions/facts.js';
import { type OtherView, othersView } from './byHand.js';
import type { PageModel } from './frame.js';
import { type SessionsTableModel, type SessionsView, sessionsView } from './sessions.js';
import { activeCount } from './status.js';

export type HomeModel = PageModel &
  SessionsTableModel & {
    /** Trainings that somebody started in a terminal, and that write elsewhere. */
    others?: HandRunFacts[];
  };

export type HomeView = { table: SessionsView; others: { others: OtherView[] } };

export function homeView(model: HomeModel): HomeView {
  return { table: sessionsView(model), others: { others: othersView(model.others ?? [], model.root) } };
}

/** "(2) Trackside" while two trainings run. */
export function homeTitle({ active }: Pick<PageModel, 'active'>): string {
  return `${activeCount(active)}Trackside`;
}

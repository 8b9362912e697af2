import type { HandRunFacts } from '../sessions/facts.js';
import { bannerView } from './banner.js';
import { othersView } from './byHand.js';
import type { PageModel } from './frame.js';
import { type SessionsTableModel, sessionsView } from './sessions.js';
import { activeCount } from './status.js';

export type HomeModel = PageModel &
  SessionsTableModel & {
    /** Trainings that somebody started in a terminal, and that write elsewhere. */
    others?: HandRunFacts[];
  };

export type HomeView = ReturnType<typeof homeView>;

export function homeView(model: HomeModel) {
  return {
    banner: bannerView({ ...model, active: model.cards, page: 'home' }),
    table: sessionsView(model),
    others: othersPart(model),
  };
}

/** Trainings by hand that write elsewhere. */
export function othersPart({ others = [], root }: HomeModel) {
  return { others: othersView(others, root) };
}

/** "(2) Trackside" while two trainings run. */
export function homeTitle({ active }: Pick<PageModel, 'active'>): string {
  return `${activeCount(active)}Trackside`;
}

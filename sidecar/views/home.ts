import type { Offers } from '../launchers/launcher.js';
import type { HandRunFacts } from '../sessions/byHandFacts.js';
import type { Happening } from '../sessions/outputs/happened.js';
import type { TrashEntry } from '../sessions/versions/trash.js';
import { bannerView } from './banner.js';
import { othersTitle, othersView } from './byHand.js';
import { percent } from './formatting.js';
import type { PageModel } from './frame.js';
import { type SessionsTableModel, sessionsView } from './sessions.js';
import { activeCount } from './status.js';
import { firstToEnd, sinceView } from './telling.js';
import { deletedView } from './trash.js';
import { freeWords } from './where.js';

export type HomeModel = PageModel &
  SessionsTableModel & {
    /** Trainings that somebody started in a terminal, and that write elsewhere. */
    others?: HandRunFacts[];
    /** Null where there is no cluster. */
    cluster?: Offers | null;
    /** When this browser looked last, ISO 8601; null where that is unknown, or on a page of the list. */
    since?: string | null;
    /** What happened since, newest first. */
    unseen?: Happening[];
    /** What a person has just deleted. */
    deleted?: TrashEntry | null;
  };

export type HomeView = ReturnType<typeof homeView>;

export function homeView(model: HomeModel) {
  return {
    deleted: model.deleted ? deletedView(model.deleted, model.root) : null,
    since: sinceView(model.since ?? null, model.unseen ?? [], model.root),
    banner: bannerView({ ...model, active: model.cards, page: 'home' }),
    table: sessionsView(model),
    others: othersPart(model),
    cluster: freePart(model),
  };
}

/** Trainings by hand that write elsewhere. */
export function othersPart({ others = [], root }: HomeModel) {
  return { title: othersTitle(others), others: othersView(others, root) };
}

/** "Cluster: 3 of 6 GPUs free."; null where there is none. */
export function freePart({ cluster = null }: HomeModel) {
  return { free: cluster && freeWords(cluster) };
}

/** "(2) 64 % · Trackside" while two trainings run: of the one that will end first. */
export function homeTitle({ active }: Pick<PageModel, 'active'>): string {
  const done = firstToEnd(active)?.progress.percent ?? null;
  return `${activeCount(active)}${done === null ? '' : `${percent(done)} · `}Trackside`;
}

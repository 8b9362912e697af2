import type { Subject } from '../problem.js';
import { pageOf, type Target } from './subject.js';

export type ProblemModel = {
  root: string;
  status: number;
  code: string;
  /** What happened, what was not lost, what to do. */
  message: string;
  /** Where to go from here. */
  about?: Subject | undefined;
};

export type ProblemView = Pick<ProblemModel, 'status' | 'code' | 'message'> & {
  title: string;
  /** Trackside itself failed. */
  ours: boolean;
  target: Target | null;
};

export function problemView({ status, code, message, about }: ProblemModel): ProblemView {
  const title = status === 404 ? 'Not found' : status >= 500 ? 'Something went wrong' : "That didn't work";
  return { status, code, message, title, ours: status >= 500, target: targetOf(about) };
}

/** Null where it is the list of all sessions, to which every page leads. */
export function targetOf(about: Subject | undefined): Target | null {
  return about === undefined || about === 'sessions' ? null : pageOf(about);
}

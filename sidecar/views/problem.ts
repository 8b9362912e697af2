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
  /** The path of the page whose form was refused; null where it is unknown. */
  back?: string | null | undefined;
};

export type ProblemView = ReturnType<typeof problemView>;

/** `ours`: Trackside itself failed. */
export function problemView({ status, code, message, about, back = null }: ProblemModel) {
  const ours = status >= 500;
  const title = status === 404 ? 'Not found' : ours ? 'Something went wrong' : "That didn't work";
  return { status, code, message, title, ours, target: targetOf(about), back };
}

/** Null where it is the list of all sessions, to which every page leads. */
export function targetOf(about: Subject | undefined): Target | null {
  return about === undefined || about === 'sessions' ? null : pageOf(about);
}

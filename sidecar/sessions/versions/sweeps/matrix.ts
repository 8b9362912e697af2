import { createHash } from 'node:crypto';
import type { Outputs } from '../../outputs/outputs.js';
import { compareSessions } from '../compare/compare.js';
import type { ComparedSamples, ComparedSession } from '../compare/facts.js';
import { readSessions } from '../compare/kept.js';
import { compareSamples } from '../compare/samples.js';
import type { Sweep } from './sweep.js';

export type MatrixCell = Pick<ComparedSession, 'status' | 'loss' | 'step'> & {
  session: string;
  values: string[];
  /** Why the queue refused it, in words. */
  refused: string | null;
};

/** The pictures of one prompt and seed: of each cell a sample's file name, or null. */
export type MatrixPictures = { id: string; prompt: string; seed: string | null; files: (string | null)[] };

export type Matrix = {
  /** In the order of the sweep. A version that was deleted has the status null. */
  cells: (Omit<MatrixCell, 'status'> & { status: MatrixCell['status'] | null })[];
  pictures: MatrixPictures[];
  /** All have ended, in any way. */
  done: boolean;
};

/** Of losses, as on TensorBoard's slider. */
export const SMOOTH = 0.9;

const ENDED = new Set(['completed', 'failed', 'stopped', 'draft', null]);

/** What became of the versions of a sweep: losses smoothed as TensorBoard does, and their newest samples. */
export async function readMatrix(outputs: Outputs, { versions }: Sweep): Promise<Matrix> {
  const charts = { tags: null, axis: 'step' as const, from: null, to: null, points: 50, smooth: SMOOTH };
  const names = versions.map(({ session }) => session);
  const compared = await compareSessions(outputs, {
    sessions: names,
    baseline: null,
    charts,
    step: null,
    costOf: () => null,
  });
  const at = new Map(compared.sessions.map((session) => [session.name, session]));
  const cells = versions.map(({ session, values, refused }) => {
    const { status = null, loss = null, step = null } = at.get(session) ?? {};
    return { session, values, refused, status, loss, step };
  });
  return {
    cells,
    pictures: picturesOf(names, [...at.keys()], compared.samples),
    done: cells.every(({ status }) => ENDED.has(status)),
  };
}

/** The pictures of the matrix alone: a vote needs no curves. */
export async function readMatrixPictures(outputs: Outputs, { versions }: Sweep): Promise<MatrixPictures[]> {
  const names = versions.map(({ session }) => session);
  const sessions = await readSessions(outputs, names);
  const { rows } = await compareSamples(sessions, null);
  return picturesOf(
    names,
    sessions.map(({ session }) => session.name),
    rows,
  );
}

/** @param found the names of the sessions in whose order the samples are */
function picturesOf(names: string[], found: string[], samples: readonly ComparedSamples[]): MatrixPictures[] {
  return samples.map(({ prompt, seed, pictures }) => ({
    id: hashOf(`${prompt}\n${seed ?? ''}`).slice(0, 8),
    prompt,
    seed,
    files: names.map((name) => pictures[found.indexOf(name)]?.name ?? null),
  }));
}

/**
 * The pictures of a prompt in an order that tells nothing of who made them: the same for the same word, so that a vote by
 * place finds its session. Without those that have none yet.
 */
export function blindOrder(
  { versions }: Sweep,
  { files }: Pick<MatrixPictures, 'files'>,
  word: string,
): { session: string; file: string }[] {
  return versions
    .flatMap(({ session }, at) => {
      const file = files[at];
      return file ? [{ session, file, key: hashOf(`${word}\n${session}`) }] : [];
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import { createHash } from 'node:crypto';
import type { Outputs } from '../../outputs/outputs.js';
import { compareSessions } from '../compare/compare.js';
import type { ComparedSession } from '../compare/facts.js';
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

const ENDED = new Set(['completed', 'failed', 'stopped', 'draft', null]);

/** What became of the versions of a sweep: losses smoothed as TensorBoard does, and their newest samples. */
export async function readMatrix(outputs: Outputs, { versions }: Sweep): Promise<Matrix> {
  const charts = { tags: null, axis: 'step' as const, from: null, to: null, points: 50, smooth: 0.9 };
  const names = versions.map(({ session }) => session);
  const compared = await compareSessions(outputs, { sessions: names, baseline: null, charts, step: null, price: null });
  const at = new Map(compared.sessions.map((session, index) => [session.name, { session, index }]));
  const cells = versions.map(({ session, values, refused }) => {
    const found = at.get(session)?.session;
    return {
      session,
      values,
      refused,
      status: found?.status ?? null,
      loss: found?.loss ?? null,
      step: found?.step ?? null,
    };
  });
  return {
    cells,
    pictures: compared.samples.map(({ prompt, seed, pictures }) => ({
      id: createHash('sha256')
        .update(`${prompt}\n${seed ?? ''}`)
        .digest('hex')
        .slice(0, 8),
      prompt,
      seed,
      files: names.map((name) => {
        const index = at.get(name)?.index;
        return index === undefined ? null : (pictures[index]?.name ?? null);
      }),
    })),
    done: cells.every(({ status }) => ENDED.has(status)),
  };
}

/**
 * The pictures of a prompt in an order that tells nothing of who made them: the same for the same word, so that a vote by
 * place finds its session. Without those that have none yet.
 */
export function blindOrder(matrix: Matrix, picture: string, word: string): { session: string; file: string }[] {
  const { files } = matrix.pictures.find(({ id }) => id === picture) ?? { files: [] };
  const key = (session: string) => createHash('sha256').update(`${word}\n${session}`).digest('hex');
  return matrix.cells
    .flatMap(({ session }, at) => {
      const file = files[at];
      return file ? [{ session, file }] : [];
    })
    .sort((a, b) => (key(a.session) < key(b.session) ? -1 : 1));
}

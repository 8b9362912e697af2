import { type Matrix, type MatrixPictures, SMOOTH } from '../sessions/versions/sweeps/matrix.js';
import type { Sweep } from '../sessions/versions/sweeps/sweep.js';
import { sampleAddress, sessionAddress } from './action.js';
import { count, joined, loss, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { settingLabel } from './settings.js';

export type SweepsModel = PageModel & { sweeps: Sweep[] };
export type SweepsView = ReturnType<typeof sweepsView>;
export type SweepModel = PageModel & { sweep: Sweep; matrix: Matrix };
export type SweepView = ReturnType<typeof sweepView>;
export type VoteModel = PageModel & {
  sweep: Sweep;
  pictures: MatrixPictures[];
  picture: string;
  prompt: string;
  order: string;
  count: number;
};
export type VoteView = ReturnType<typeof voteView>;
/** A table of the first field's values × the second's. */
export type SweepTable = {
  columns: string[];
  rows: {
    label: string;
    cells: { href: string; words: string; note: string; picture: string | null; best: boolean }[];
  }[];
};

export function sweepsView({ sweeps, root }: SweepsModel) {
  return {
    sweeps: sweeps.map((sweep) => ({
      name: sweep.lora_name,
      what: fieldsOf(sweep),
      versions: plural(sweep.versions.length, 'version'),
      href: addressOf(sweep, root),
      begun: sweep.created_at,
    })),
  };
}

export function sweepView({ sweep, matrix, root }: SweepModel) {
  const at = addressOf(sweep, root);
  const names = sweep.versions.map(({ session }) => session);
  const ended = matrix.cells.filter(({ status }) => status === 'completed').length;
  const losses = matrix.cells.flatMap(({ loss: own }) => own?.best ?? []);
  const least = losses.length > 0 ? Math.min(...losses) : null;
  return {
    name: sweep.lora_name,
    what: fieldsOf(sweep),
    smooth: SMOOTH,
    progress: matrix.done ? 'All have ended.' : `${ended} of ${plural(names.length, 'version')} completed.`,
    refused: matrix.cells.flatMap(({ session, refused }) => (refused ? [`${session}: ${refused}`] : [])),
    compare: `${root}compare?${new URLSearchParams(names.map((name): [string, string] => ['sessions', name]))}`,
    losses: tableOf(sweep, matrix, root, (at) => {
      const { status, step, loss: own } = matrix.cells[at] ?? { status: null, step: null, loss: null };
      const words = own?.best == null ? '–' : loss(own.best);
      const note = joined(
        status ?? 'deleted',
        step !== null && `step ${count(step)}`,
        own?.last != null && `last ${loss(own.last)}`,
      );
      return { words, note, file: null, best: own?.best != null && own.best === least };
    }),
    pictures: matrix.pictures.map(({ id, prompt, seed, files }) => ({
      title: prompt,
      seed: seed === null ? '' : `seed ${seed}`,
      vote: files.filter(Boolean).length > 1 ? `${at}/vote?picture=${id}` : null,
      table: tableOf(sweep, matrix, root, (index) => {
        const votes = sweep.votes.filter((vote) => vote.picture === id && vote.session === names[index]).length;
        return {
          words: '',
          note: votes > 0 ? plural(votes, 'vote') : '',
          file: files[index] ?? null,
          best: votes > 0 && votes === mostVotes(sweep, id),
        };
      }),
    })),
    votes: plural(sweep.votes.length, 'vote'),
  };
}

function mostVotes({ votes, versions }: Sweep, picture: string): number {
  return Math.max(
    ...versions.map(
      ({ session }) => votes.filter((vote) => vote.picture === picture && vote.session === session).length,
    ),
  );
}

type Shown = { words: string; note: string; file: string | null; best: boolean };

function tableOf(sweep: Sweep, matrix: Matrix, root: string, show: (at: number) => Shown): SweepTable {
  const [first, second] = sweep.fields;
  const columns = second?.values ?? [''];
  return {
    columns: second ? columns.map((value) => `${settingLabel(second.name)} ${value}`) : [''],
    rows: (first?.values ?? []).map((value, row) => ({
      label: first ? `${settingLabel(first.name)} ${value}` : value,
      cells: columns.flatMap((_, column) => {
        const at = row * columns.length + column;
        const cell = matrix.cells[at];
        if (!cell) return [];
        const { words, note, file, best } = show(at);
        const href = sessionAddress(root, cell.session);
        return [{ href, words, note, best, picture: file && `${sampleAddress(href, file)}?size=thumb` }];
      }),
    })),
  };
}

export function voteView({ sweep, pictures, picture, prompt, order, count: places, root }: VoteModel) {
  const at = addressOf(sweep, root);
  return {
    name: sweep.lora_name,
    back: at,
    prompt,
    address: `${at}/votes`,
    picture,
    order,
    pictures: Array.from({ length: places }, (_, place) => ({
      place: String(place),
      label: `Picture ${place + 1}`,
      src: `${at}/blind/${picture}/${order}/${place}`,
    })),
    others: pictures
      .filter(({ id }) => id !== picture)
      .map(({ id, prompt: other }) => ({ href: `${at}/vote?picture=${id}`, label: other })),
  };
}

function fieldsOf({ fields }: Sweep): string {
  return fields.map(({ name, values }) => `${settingLabel(name)} ${values.join(', ')}`).join(' × ');
}

function addressOf({ id }: Sweep, root: string): string {
  return `${root}sweeps/${encodeURIComponent(id)}`;
}

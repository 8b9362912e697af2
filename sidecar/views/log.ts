import type { SessionFacts } from '../sessions/facts.js';
import type { LogLandmarks, LogRow, LogRows } from '../sessions/products/logFacts.js';
import { sessionAddress } from './action.js';
import { cardView } from './banner.js';
import { bytes, count, plural } from './formatting.js';
import type { PageModel } from './frame.js';

export type LogModel = PageModel &
  LogRows & {
    session: SessionFacts;
    /** Null while a large log is read for the first time. */
    landmarks: LogLandmarks | null;
    /** The line that was asked for. */
    line: number | null;
    /** Where the searched words stand; null where nothing was searched. */
    found: { search: string; matches: number; lines: number[]; searched: number; bytes: number } | null;
    /** Shows each state of a bar that wrote lines. */
    allBars: boolean;
  };

export type LogView = ReturnType<typeof logView>;

export type RowsView = { rows: RowView[]; barsHref: string };

type RowView = {
  /** Null where it is not known yet. */
  id: string | null;
  n: string;
  href: string;
  /** "is-bar old": older states of a bar are folded into the newest. */
  look: string;
  text: string;
  /** When it had arrived, and the same in UTC for readers without a script: "08:47:56". Null where nobody saw it. */
  arrived: { at: string; utc: string } | null;
  /** "step 1 521 of the training", or empty. */
  note: string;
  /** "12 earlier states", or empty. */
  folded: string;
};

/** Lines of a search that the page lists by itself; a script steps through all. */
const MOST_FOUND = 200;

export function logView(model: LogModel) {
  const { session, root, rows, total, landmarks, line, found } = model;
  const at = sessionAddress(root, session.name);
  const { lora, version, status } = cardView(session, root);
  const [first, last] = [rows[0]?.n ?? 0, rows.at(-1)?.n ?? 0];
  const onHref = found && found.searched < found.bytes ? `?q=${encodeURIComponent(found.search)}` : null;
  const lineHref = (n: number) => `?line=${n}#L${n}`;
  const attempts = session.attempts.map(({ number, kind }) => {
    const begins = landmarks?.attempts.find((each) => each.number === number)?.line;
    const name = `Attempt ${number} (${kind === 'relaunch' ? 'start over' : kind})`;
    return { number, name, href: begins ? lineHref(begins) : null, download: `${at}/log?attempt=${number}&download=1` };
  });
  return {
    at,
    lora,
    version,
    status,
    total,
    /** "12 400 lines", or what is still being done. */
    size: total > 0 ? plural(total, 'line') : rows.length > 0 ? 'Counting lines…' : '',
    isEmpty: rows.length === 0 || (rows.length === 1 && rows[0]?.text === ''),
    rows: rowsView(model),
    line,
    last,
    links: [
      { name: 'First', href: first > 1 ? '?from=1' : null },
      { name: 'Older', href: first > 1 ? `?from=${Math.max(1, first - 500)}` : null },
      { name: 'Newer', href: last < total ? `?from=${last + 1}` : null },
      { name: 'Last', href: last < total ? '?' : null },
    ],
    errors: landmarks?.errorCount ?? 0,
    firstError: landmarks?.errors[0] ? lineHref(landmarks.errors[0]) : null,
    warnings: landmarks?.warningCount ?? 0,
    hasTimes: rows.some(({ arrived_at }) => arrived_at !== null),
    attempts: attempts.length > 1 ? attempts : [],
    download: `${at}/log?download=1`,
    found: found && {
      search: found.search,
      words: found.matches === 0 && !onHref ? 'Not found.' : `${plural(found.matches, 'line')} found`,
      on: onHref && { words: `Searched ${bytes(found.searched)} of ${bytes(found.bytes)} so far`, href: onHref },
      more: Math.max(0, found.matches - MOST_FOUND),
      lines: found.lines.slice(0, MOST_FOUND).map((n) => ({ n: count(n), href: lineHref(n) })),
    },
  };
}

function rowsView({ rows, allBars, line }: LogModel): RowsView {
  let states = 0;
  const views = rows.map((row, index): RowView => {
    const isOld = !allBars && row.kind === 'bar' && rows[index + 1]?.kind === 'bar' && row.n !== line;
    states = row.kind === 'bar' ? states + 1 : 0;
    const folded = !allBars && row.kind === 'bar' && !isOld && states > 1 ? plural(states - 1, 'earlier state') : '';
    return {
      ...rowView(row),
      look: [row.kind ? `is-${row.kind}` : '', isOld ? 'old' : ''].filter(Boolean).join(' '),
      folded,
    };
  });
  return { rows: views, barsHref: `?from=${rows[0]?.n ?? 1}&bars=1` };
}

function rowView({ n, text, cut, step, arrived_at: at }: LogRow): Omit<RowView, 'look' | 'folded'> {
  const notes = [
    step === null ? '' : `step ${count(step)} of the training`,
    cut === 0 ? '' : `${bytes(cut)} more in this line`,
  ];
  return {
    id: n > 0 ? `L${n}` : null,
    n: n > 0 ? String(n) : '',
    href: `?line=${n}#L${n}`,
    text,
    arrived: at === null ? null : { at, utc: at.slice(11, 19) },
    note: notes.filter(Boolean).join(' · '),
  };
}

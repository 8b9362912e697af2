import { OWN_NAME } from './parse.js';

/** Slurm's words for states of jobs that wait, run, or are about to. */
export const STATES = 'PENDING,RUNNING,CONFIGURING,SUSPENDED,REQUEUED,REQUEUE_HOLD,SPECIAL_EXIT';
export const WAITING: ReadonlySet<string> = new Set(['PENDING', 'REQUEUED', 'REQUEUE_HOLD', 'SPECIAL_EXIT']);

const FIELDS = {
  /** Unique, also of a task of an array. */
  number: '%A',
  /** `12`, `12_3`, `12_[4-9%2]`, `12+0` */
  id: '%i',
  state: '%T',
  submitted: '%V',
  started: '%S',
  nodes: '%N',
  reason: '%r',
  /** Its working folder. */
  folder: '%Z',
  name: '%j',
} as const;

/** A character that no folder and no name has by accident: those of others hold any. */
const BETWEEN = '\x1f';
export const HAND_FORMAT = Object.values(FIELDS).join(BETWEEN);

/** One job, in Slurm's own words. */
export type HandLine = Record<keyof typeof FIELDS, string>;

/** Reads what `squeue -h -o HAND_FORMAT` prints, without the jobs of Trackside. Lines of another form are left out. Pure. */
export function readHandLines(printed: string): HandLine[] {
  const names = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
  return printed.split('\n').flatMap((line) => {
    const values = line.split(BETWEEN);
    if (values.length < names.length || !/^\d+$/.test(values[0] ?? '')) return [];
    const found = Object.fromEntries(names.map((name, at) => [name, values[at]?.trim() ?? ''])) as HandLine;
    return OWN_NAME.test(found.name) ? [] : [found];
  });
}

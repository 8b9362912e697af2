import { z } from 'zod';
import { jsonOrNull } from '../../../files/exactJson.js';
import { Problem } from '../../../problem.js';
import type { Settings } from '../../../settings.js';
import { type OwnFiles, ownFiles } from '../../record/ownFiles.js';

/** More versions than this are a slip. */
export const MOST_VERSIONS = 36;
const LARGEST = 200_000;
const MOST_SWEEPS = 1000;
const MOST_VOTES = 1000;

/** Values of one or two fields, each of which became a version. */
export const sweep = z.object({
  id: z.string(),
  lora_name: z.string(),
  created_at: z.iso.datetime(),
  /** One or two: settings by their names, further flags as `arguments.<flag>`. */
  fields: z
    .array(z.object({ name: z.string(), values: z.array(z.string()) }))
    .min(1)
    .max(2),
  /** In the order of the queue; `values` in that of the fields. */
  versions: z.array(z.object({ session: z.string(), values: z.array(z.string()), refused: z.string().nullable() })),
  /** Who was the best of all pictures of a prompt and seed, chosen blind. */
  votes: z.array(z.object({ picture: z.string(), session: z.string(), at: z.iso.datetime() })).max(MOST_VOTES),
});

export type Sweep = z.infer<typeof sweep>;

export function sweepFiles({ outputs }: Pick<Settings, 'outputs'>): OwnFiles {
  return ownFiles(outputs, '.sweeps', { most: MOST_SWEEPS, largest: LARGEST });
}

/** Newest first. */
export async function listSweeps(settings: Settings): Promise<Sweep[]> {
  const texts = await sweepFiles(settings).list();
  const all = [...texts.values()].flatMap((text) => parsed(text) ?? []);
  return all.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

/** Throws a Problem where there is none. */
export async function readSweep(settings: Settings, id: string): Promise<Sweep> {
  const text = await sweepFiles(settings).read(id);
  const sweep = text === null ? null : parsed(text);
  if (!sweep) throw new Problem('no_sweep', 'There is no such sweep. It may have been deleted.', { about: 'sweeps' });
  return sweep;
}

export async function writeSweep(settings: Settings, sweep: Sweep): Promise<void> {
  await sweepFiles(settings).write(sweep.id, `${JSON.stringify(sweep, null, 2)}\n`);
}

/** The newest votes stay. */
export function withVote(sweep: Sweep, vote: Sweep['votes'][number]): Sweep {
  return { ...sweep, votes: [...sweep.votes, vote].slice(-MOST_VOTES) };
}

function parsed(text: string): Sweep | null {
  const found = sweep.safeParse(jsonOrNull(text));
  return found.success ? found.data : null;
}

/** Every combination, the first field changing last: [["1e-4","4"], ["1e-4","8"], …]. */
export function combinations(fields: Sweep['fields']): string[][] {
  return fields.reduce<string[][]>(
    (made, { values }) => made.flatMap((each) => values.map((value) => [...each, value])),
    [[]],
  );
}

const SHORT: Record<string, string> = {
  ...{ learning_rate: 'lr', network_dim: 'rank', max_train_epochs: 'epochs', num_repeats: 'repeats' },
  ...{ 'arguments.network_alpha': 'alpha', 'arguments.optimizer_type': 'optimizer' },
};

/** What a version of a sweep is called: "lr 1e-4, rank 8". */
export function nameOfValues(fields: Sweep['fields'], values: readonly string[]): string {
  const parts = fields.map(
    ({ name }, at) => `${SHORT[name] ?? name.replace('arguments.', '').replaceAll('_', ' ')} ${values[at]}`,
  );
  return parts.join(', ').slice(0, 60);
}

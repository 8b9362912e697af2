import { join } from 'node:path';
import { folderBytes, isItself } from '../../files/folderBytes.js';
import { foldersIn } from '../../files/foldersIn.js';
import { isOwnFolder } from '../../security/paths.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { ARRIVALS } from '../../telemetry/log/arrivals.js';
import { readCandidates } from '../lineage/candidates.js';
import { bestCheckpoint, checkpointsOf, samplesOf, stepOfSample } from '../products/products.js';
import type { Session } from '../status/session.js';
import type { PurgeItem } from './facts.js';
import { type Keep, type RuledState, statesToPurge } from './rules.js';

/** TensorBoard's event files, by every trainer's name for their folder. */
const LOGS = 'logs';

/** What the rules remove of a session that may be touched: states first, which are the large ones. */
export async function sessionItems(session: Session, keep: Keep, age: number): Promise<PurgeItem[]> {
  const { name, folder } = session;
  const [samples, checkpoints] = [await samplesOf(session), await checkpointsOf(session)];
  const perEpoch = session.progress?.steps_per_epoch ?? null;
  const best = bestCheckpoint(session.facts.best_sample, samples, checkpoints, perEpoch);
  // Without weights beside them, states are the only ones.
  const hasWeights = session.facts.final_checkpoint !== null || checkpoints.some(({ problem }) => !problem);
  const states = hasWeights ? statesToPurge(await readStates(session), keep, best) : [];
  const item = async (
    kind: PurgeItem['kind'],
    path: string,
    reason: string,
    files: string[] = [],
  ): Promise<PurgeItem[]> => {
    const absolute = join(folder, path);
    if (!(await isItself(absolute))) return [];
    const parts = await Promise.all((files.length > 0 ? files : ['']).map((file) => folderBytes(join(absolute, file))));
    const bytes = parts.reduce((sum, each) => sum + each, 0);
    return [{ kind, of: name, path: absolute, files, bytes, age_days: age, reason, undo: true }];
  };
  const found = await Promise.all(states.map(({ path, reason }) => item('state', path, reason)));
  const old = oldSamples(samples, session, keep, perEpoch);
  if (old.length > 0)
    found.push(
      await item('samples', session.dialect.samples.folder, 'Samples that are neither the newest nor the best.', old),
    );
  const ended = 'The training has ended.';
  for (const path of [LOGS, LOG_FILE, `${LOG_FILE}${ARRIVALS}`])
    found.push(await item('log', path, `Its log. ${ended}`));
  return found.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** All states of a session, the newest of its lineage first; then what attempts that were started over have left. */
async function readStates({ folder, dialect, outputName, state, progress }: Session): Promise<RuledState[]> {
  const attempts = state?.attempts ?? [];
  const stepsPerEpoch = progress?.steps_per_epoch ?? null;
  const lineage = await readCandidates({
    folder,
    dialect,
    outputName,
    attempts,
    stepsPerEpoch,
    writingNow: null,
    thorough: false,
  });
  const known = new Set(lineage.map(({ path }) => path));
  const left: RuledState[] = [];
  if (await isOwnFolder(join(folder, 'earlier'))) {
    for (const name of await foldersIn(join(folder, 'earlier'), 'retention')) {
      const place = join('earlier', name);
      for (const each of await dialect.states.read(join(folder, place), outputName, { writingNow: null, argv: [] })) {
        const path = join(place, each.name);
        if (!known.has(path) && !each.foreign)
          left.push({ path, name: each.name, epoch: null, step: null, complete: each.complete, lineage: false });
      }
    }
  }
  return [
    ...lineage
      .filter(({ foreign }) => !foreign)
      .map(({ path, name, epoch, step, complete }) => ({ path, name, epoch, step, complete, lineage: true })),
    ...left,
  ];
}

/** File names of the samples that are neither of the newest steps nor the best one. */
function oldSamples(
  samples: Awaited<ReturnType<typeof samplesOf>>,
  { facts }: Session,
  keep: Keep,
  perEpoch: number | null,
): string[] {
  const place = (each: (typeof samples)[number]) => `${each.lost} ${stepOfSample(each, perEpoch) ?? each.epoch}`;
  const newest = [...new Set(samples.filter(({ lost }) => !lost).map(place))].slice(0, Math.max(1, keep.last));
  const stays = (each: (typeof samples)[number]) => newest.includes(place(each)) || each.name === facts.best_sample;
  return samples
    .filter((each) => !stays(each))
    .map(({ name }) => name)
    .sort();
}

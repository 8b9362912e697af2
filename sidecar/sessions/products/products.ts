import { dirname, join } from 'node:path';
import { foldersIn } from '../../files/foldersIn.js';
import { isoTime } from '../../files/isoTime.js';
import { memoByObject } from '../../files/memoByObject.js';
import { Problem } from '../../problem.js';
import { isOwnFolder, realInside } from '../../security/paths.js';
import type { CheckpointOnDisk, SampleOnDisk } from '../../trainers/dialect.js';
import { whyNot } from '../lineage/resume.js';
import { writerByPlace, writerByTime } from '../lineage/writer.js';
import { type AttemptEntry, stepsAdded } from '../record/uiState.js';
import type { CheckpointFacts, SampleFacts, StateFacts } from '../savedFacts.js';
import type { Session } from '../status/session.js';

/** The checkpoints of a session, newest first, with epochs and steps absolute over its attempts; `earlier/` included. */
export async function checkpointsOf(session: Session): Promise<CheckpointFacts[]> {
  const perEpoch = session.progress?.steps_per_epoch ?? null;
  const attempts = writersOf(session);
  const found = (await readAll(session)).map(async ({ place, files }) => {
    const refused = files.filter(({ whole }) => !whole);
    const problems = await Promise.all(refused.map((file) => problemOf(session, place, file)));
    const writer = writerByPlace(attempts, `${place}/`);
    const offset = writer ? stepsAdded(writer) : null;
    const problem = (file: CheckpointOnDisk) => (file.whole ? null : (problems[refused.indexOf(file)] ?? null));
    return files.map((file) => checkpointFacts(file, place, offset, perEpoch, problem(file)));
  });
  return newestFirst((await Promise.all(found)).flat());
}

/** Those of other tools lie in several folders; those that an attempt moved away come last. */
function newestFirst(files: CheckpointFacts[]): CheckpointFacts[] {
  const isBelow = ({ name, path }: CheckpointFacts) => path !== name && !path.startsWith('earlier/');
  if (!files.some(isBelow)) return files;
  const moved = files.filter(({ path }) => path.startsWith('earlier/'));
  const place = (each: CheckpointFacts) => each.step ?? each.epoch ?? Number.POSITIVE_INFINITY;
  const present = files.filter((each) => !moved.includes(each));
  present.sort((a, b) => Date.parse(b.saved_at) - Date.parse(a.saved_at) || place(b) - place(a));
  return [...present, ...moved];
}

/** The same object for the same file, so that whatever shows it is made once. */
const checkpointFacts = memoByObject(
  (
    file: CheckpointOnDisk,
    place: string,
    stepOffset: number | null,
    perEpoch: number | null,
    problem: string | null,
  ): CheckpointFacts => ({
    name: file.name,
    path: join(place, file.name),
    kind: file.kind,
    ...savedAfter(file, stepOffset, perEpoch),
    bytes: file.bytes,
    saved_at: isoTime(file.savedAtMs),
    metadata: file.told,
    problem,
  }),
);

/** Why a file that is not whole is not offered. A link out of the outputs is listed, and can't be downloaded. */
async function problemOf({ folder, facts }: Session, place: string, file: CheckpointOnDisk): Promise<string | null> {
  const leadsOut = (error: Error) => (error instanceof Problem ? error.message : null);
  const out = await realInside(dirname(folder), join(folder, place, file.name)).then(() => null, leadsOut);
  if (out !== null || !file.wrong) return out;
  const runs = facts.next === 'stop' || facts.status === 'stopping';
  return `The file ${file.wrong}${runs ? ', unless it is being written now' : ''}.`;
}

/** The sample pictures of a session, newest first. */
export async function samplesOf(session: Session): Promise<SampleFacts[]> {
  return placed(session, await session.dialect.samples.read(session.folder));
}

/** The same without a look into any of them: some may be cut. */
export async function listedSamplesOf(session: Session): Promise<SampleFacts[]> {
  return placed(session, await session.dialect.samples.listed(session.folder));
}

function placed(session: Session, onDisk: SampleOnDisk[]): SampleFacts[] {
  return sampleFacts(onDisk, JSON.stringify(writersOf(session), WRITTEN));
}

type Written = Pick<AttemptEntry, 'started_at' | 'ended_at' | 'step_offset' | 'steps_added' | 'first_epoch'>;
const WRITTEN: (keyof Written)[] = ['started_at', 'ended_at', 'step_offset', 'steps_added', 'first_epoch'];

/** The attempts, by which the steps of files become absolute; they are that already where a dialect says so. */
function writersOf({ state, dialect }: Session): readonly AttemptEntry[] {
  const attempts = state?.attempts ?? [];
  return dialect.absoluteSteps ? attempts.map((each) => ({ ...each, step_offset: 0, steps_added: 0 })) : attempts;
}

/** The same array for the same samples and attempts (JSON of `Written[]`). */
const sampleFacts = memoByObject((onDisk: SampleOnDisk[], written: string): SampleFacts[] => {
  const attempts: Written[] = JSON.parse(written);
  return onDisk.map(({ name, epoch, step: own, prompt, seed, savedAtMs }) => {
    const writer = writerByTime(attempts, savedAtMs);
    const step = own === null ? null : own + (writer ? stepsAdded(writer) : 0);
    const later = writer ? attempts.slice(attempts.indexOf(writer) + 1) : [];
    const lost = later.some(({ step_offset, first_epoch }) =>
      step !== null ? step > step_offset : epoch !== null && epoch >= first_epoch,
    );
    return { name, epoch, step, prompt, seed, lost, saved_at: isoTime(savedAtMs) };
  });
});

/** The absolute step of a sample; null when unknown. `perEpoch`: steps per epoch. */
export function stepOfSample(
  { step, epoch }: Pick<SampleFacts, 'step' | 'epoch'>,
  perEpoch: number | null,
): number | null {
  return step ?? (epoch !== null && perEpoch !== null ? epoch * perEpoch : null);
}

/** The checkpoint whose weights come closest to those of the best sample; of equals the newest. Null without one. */
export function bestCheckpoint(
  best: string | null,
  samples: readonly SampleFacts[],
  checkpoints: readonly CheckpointFacts[],
  perEpoch: number | null,
): CheckpointFacts | null {
  const sample = samples.find(({ name }) => name === best);
  if (!sample) return null;
  const step = stepOfSample(sample, perEpoch);
  if (step === null && sample.epoch === null) return null;
  const apart = (each: CheckpointFacts) => {
    if (step !== null && each.step !== null) return Math.abs(each.step - step);
    return sample.epoch !== null && each.epoch === sample.epoch ? 0 : Number.POSITIVE_INFINITY;
  };
  const whole = checkpoints.filter(({ problem, path, name }) => !problem && path === name);
  const nearest = whole.reduce((least, each) => Math.min(least, apart(each)), Number.POSITIVE_INFINITY);
  return Number.isFinite(nearest) ? (whole.find((each) => apart(each) === nearest) ?? null) : null;
}

/** The state folders of a session's lineage, newest first. */
export function statesOf(session: Session): StateFacts[] {
  const epochs = session.state?.max_train_epochs ?? session.progress?.epochs ?? null;
  return session.candidates.map((each) => {
    const { name, path, kind, epoch, step, bytes, saved_at, complete, reason, repeatedSteps, exact } = each;
    const refused = session.state ? whyNot(each, epochs, true) : NO_RECORD;
    const repeated_steps = repeatedSteps;
    return { name, path, kind, epoch, step, bytes, saved_at, complete, reason, refused, repeated_steps, exact };
  });
}

const NO_RECORD = 'there is no ui_state.json with its settings';

/** The absolute path of a checkpoint, from the path in its facts; null if it is not of this session. */
export async function checkpointPath(session: Session, path: string): Promise<string | null> {
  const places = await readAll(session);
  const known = places.some(({ place, files }) => files.some(({ name }) => join(place, name) === path));
  return known ? join(session.folder, path) : null;
}

/** Checkpoints in the output folder, then below it, then in `earlier/`; newest first in each. */
async function readAll(session: Session): Promise<{ place: string; files: CheckpointOnDisk[] }[]> {
  const { folder, dialect, outputName } = session;
  const isOwn = await isOwnFolder(join(folder, 'earlier'));
  const inside = isOwn ? await foldersIn(join(folder, 'earlier'), 'sessions') : [];
  const earlier = inside.map((name) => join('earlier', name));
  const read = async (place: string) => ({ place, files: await dialect.checkpoints(join(folder, place), outputName) });
  const [own, below, moved] = await Promise.all([
    read(''),
    dialect.checkpointsBelow?.(folder, outputName) ?? [],
    Promise.all(earlier.sort().reverse().map(read)),
  ]);
  return [own, ...below, ...moved];
}

function savedAfter(
  { kind, number, epoch, steps }: CheckpointOnDisk,
  stepOffset: number | null,
  perEpoch: number | null,
) {
  if (kind === 'step') return { epoch: null, step: (stepOffset ?? 0) + (number ?? 0) };
  const planned = epoch !== null && perEpoch !== null ? epoch * perEpoch : null;
  // The header of the final weights tells the epochs that were planned, and the steps that were trained: fewer, if it finished early.
  const trained = kind === 'final' && steps && stepOffset !== null ? stepOffset + steps : null;
  if (planned === null || perEpoch === null || trained === null || trained >= planned) return { epoch, step: planned };
  return { epoch: Math.ceil(trained / perEpoch), step: trained };
}

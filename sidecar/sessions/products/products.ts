import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { Problem } from '../../problem.js';
import { isOwnFolder, realInside } from '../../security/paths.js';
import type { CheckpointOnDisk, SampleOnDisk } from '../../trainers/dialect.js';
import type { CheckpointFacts, SampleFacts, StateFacts } from '../facts.js';
import { whyNot } from '../lineage/resume.js';
import { writerByPlace, writerByTime } from '../lineage/writer.js';
import type { Session } from '../status/session.js';

/** The checkpoints of a session, newest first, with epochs and steps absolute over its attempts; `earlier/` included. */
export async function checkpointsOf(session: Session): Promise<CheckpointFacts[]> {
  const perEpoch = session.progress?.steps_per_epoch ?? null;
  const attempts = session.state?.attempts ?? [];
  const all = await readAll(session);
  const problems = await Promise.all(all.map(({ path, file }) => problemOf(session.folder, path, file)));
  return all.map(({ path, file }, index) => ({
    name: file.name,
    path,
    kind: file.kind,
    ...placeOf(file, writerByPlace(attempts, path)?.step_offset ?? 0, perEpoch),
    bytes: file.bytes,
    saved_at: new Date(file.savedAtMs).toISOString(),
    metadata: file.told,
    problem: problems[index] ?? wrongWith(session, file),
  }));
}

/** A file that is still being written is not whole either. */
function wrongWith({ facts }: Session, { whole, wrong }: CheckpointOnDisk): string | null {
  if (whole || !wrong) return null;
  const runs = facts.next === 'stop' || facts.status === 'stopping';
  return `The file ${wrong}${runs ? ', unless it is being written now' : ''}.`;
}

/** A link within the outputs counts as its file; a link out of them is listed, and can't be downloaded. */
function problemOf(folder: string, path: string, file: CheckpointOnDisk): Promise<string | null> {
  const leadsOut = (error: Error) => (error instanceof Problem ? error.message : null);
  const found = problems.get(file) ?? realInside(dirname(folder), join(folder, path)).then(() => null, leadsOut);
  problems.set(file, found);
  return found;
}

/** Kept while a file is the same. */
const problems = new WeakMap<CheckpointOnDisk, Promise<string | null>>();

/** The sample pictures of a session, newest first. */
export async function samplesOf(session: Session): Promise<SampleFacts[]> {
  const onDisk = await session.dialect.samples.read(session.folder);
  const attempts = session.state?.attempts ?? [];
  const key = JSON.stringify(
    attempts.map(({ started_at, ended_at, step_offset }) => [started_at, ended_at, step_offset]),
  );
  const known = sampleFacts.get(onDisk);
  if (known?.key === key) return known.facts;
  const facts = onDisk.map(({ name, epoch, step, prompt, seed, savedAtMs }) => ({
    name,
    epoch,
    step: step === null ? null : step + (writerByTime(attempts, savedAtMs)?.step_offset ?? 0),
    prompt,
    seed,
    saved_at: new Date(savedAtMs).toISOString(),
  }));
  sampleFacts.set(onDisk, { key, facts });
  return facts;
}

/** Kept while the samples and the attempts are the same. */
const sampleFacts = new WeakMap<SampleOnDisk[], { key: string; facts: SampleFacts[] }>();

/** The state folders of a session's lineage, newest first. */
export function statesOf(session: Session): StateFacts[] {
  const epochs = session.state?.max_train_epochs ?? session.progress?.epochs ?? null;
  return session.candidates.map((each) => {
    const { name, path, kind, epoch, step, bytes, saved_at, complete, reason } = each;
    return {
      name,
      path,
      kind,
      epoch,
      step,
      bytes,
      saved_at,
      complete,
      reason,
      refused: session.state ? whyNot(each, epochs, true) : NO_RECORD,
    };
  });
}

const NO_RECORD = 'there is no ui_state.json with its settings';

/** The absolute path of a checkpoint, from the path in its facts; null if it is not of this session. */
export async function checkpointPath(session: Session, path: string): Promise<string | null> {
  const known = (await readAll(session)).some((each) => each.path === path);
  return known ? join(session.folder, path) : null;
}

/** Checkpoints in the output folder, then in `earlier/`; newest first in each. */
async function readAll(session: Session): Promise<{ path: string; file: CheckpointOnDisk }[]> {
  const { folder, dialect, outputName } = session;
  const own = await isOwnFolder(join(folder, 'earlier'));
  const inside = own
    ? await readdir(join(folder, 'earlier'), { withFileTypes: true }).catch(ifUnreadable([], 'sessions'))
    : [];
  const earlier = inside.filter((entry) => entry.isDirectory()).map(({ name }) => join('earlier', name));
  const places = ['', ...earlier.sort().reverse()];
  const found = await Promise.all(
    places.map(async (place) =>
      (await dialect.checkpoints(join(folder, place), outputName)).map((file) => ({
        path: join(place, file.name),
        file,
      })),
    ),
  );
  return found.flat();
}

function placeOf(file: CheckpointOnDisk, stepOffset: number, perEpoch: number | null) {
  if (file.kind === 'step') return { epoch: null, step: stepOffset + (file.number ?? 0) };
  const { epoch } = file;
  return { epoch, step: epoch !== null && perEpoch !== null ? epoch * perEpoch : null };
}

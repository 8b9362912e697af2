import { within } from '../../caught.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { BEFORE_A_START } from '../../datasets/read.js';
import { local } from '../../launchers/local.js';
import type { FileHashes } from '../../models/fileHash.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { flagsOf } from '../../trainers/arguments.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { installedPackages } from '../../trainers/installed.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import type { Trainer } from '../../trainers/trainer.js';
import { uncommittedDiff } from '../../trainers/uncommitted.js';
import { prepareAttempt } from '../attempt/command.js';
import { readEnvironment } from '../attempt/environment.js';
import { placesOf } from '../exchange/export.js';
import { portable } from '../exchange/portable.js';
import { readPictures } from '../preflight/pictures.js';
import { type Run, readRun } from '../preflight/run.js';
import { type Comparable, differences } from '../provenance/differences.js';
import { type Difference, type Provenance, readProvenance } from '../provenance/provenance.js';
import { comparableOf, slowFacts } from '../provenance/record.js';
import { interpreterOf, scriptIngredients } from '../provenance/script.js';
import type { AttemptEntry, UiState } from '../record/uiState.js';
import { launcherFor } from '../record/wants.js';
import type { Session } from '../status/session.js';

/** Milliseconds that hashes are waited for: most files are known since their training. */
const PATIENCE_MS = 3000;

/**
 * What differs today from what a session records of its start, line by line, what is missing first. Changes nothing.
 * Throws a Problem for a session whose settings are unknown, or that was never started.
 */
export async function differsToday(
  { settings, hashes }: { settings: Settings; hashes: FileHashes },
  session: Session,
): Promise<Difference[]> {
  const { state, folder } = session;
  if (!state) throw new Problem('no_settings', 'Its settings are unknown.', { about: { session: session.name } });
  const then = (await readProvenance(folder)) ?? fromRecord(state);
  if (!then) return [];
  const missing: Difference[] = [];
  const own = { was: session.latest?.output ?? folder, now: folder };
  if (session.trainer === TRACKED)
    return differences(then, await scriptToday({ settings, hashes }, session, then), own);
  const trainer = attempted(() => findTrainer(settings, session.trainer), 'Trainer', then.trainer.id, missing);
  if (!trainer) return missing;
  if (trainer.own) return differences(then, await scriptToday({ settings, hashes }, session, then), own);
  const named = then.dataset?.name ?? state.dataset?.path ?? 'unknown';
  const detail = await readPictures(settings, session, state, BEFORE_A_START).catch((error: unknown) =>
    gone(error, 'Dataset', named, missing),
  );
  const now = await today({ settings, hashes }, session, trainer, detail, then);
  if (!session.facts.imported || session.latest) {
    return [...missing, ...differences(then, now, own)];
  }
  // Of another pod: both are told without its folders.
  const argv = portable(now.command.argv, placesOf(settings, session, { trainer: now.trainer }));
  const here = { ...now, command: { ...now.command, argv } };
  return [...missing, ...differences(then, here, { was: '$SESSION', now: '$SESSION' })];
}

/** A script of the user as it is now: the same command, by which it would be started again. */
async function scriptToday(
  { settings, hashes }: { settings: Settings; hashes: FileHashes },
  session: Session,
  then: Comparable,
): Promise<Comparable> {
  const python = interpreterOf(then.command.argv, settings.python);
  const about = { id: then.trainer.id, trackside: settings.version, variables: {}, python };
  const environment = await readEnvironment(python);
  const of = scriptIngredients({ ...about, environment }, then.command, session.state);
  const known = await comparableOf(of);
  const slow = slowFacts(known, python, hashes);
  return { ...known, ...(await within<Partial<Comparable>>(PATIENCE_MS, slow, () => ({}))) };
}

/** The same training as it would start now. Without its pictures the rest is still told. */
async function today(
  { settings, hashes }: { settings: Settings; hashes: FileHashes },
  session: Session,
  trainer: Trainer,
  detail: DatasetDetail | null,
  then: Comparable,
): Promise<Comparable> {
  const { state, folder } = session;
  const gpus = session.latest?.gpus ?? [];
  const run = readRun({ session, state: state as UiState, trainer, detail: detail ?? noPictures(then), gpus });
  const command = await commandToday(settings, run);
  const python = command.argv[0] ?? settings.python;
  const offered = gpus.length > 0 ? (await local.offers()).gpus.filter(({ index }) => gpus.includes(index)) : [];
  const quick = await comparableOf({
    trackside: settings.version,
    command,
    variables: {},
    seed: run.settings.seed,
    trainer,
    python,
    environment: {
      ...(await readEnvironment(python)),
      gpu: offered.map(({ name }) => name).join(', ') || null,
      driver: offered[0]?.driver ?? null,
    },
    detail: detail ?? noPictures(then),
    repeats: run.settings.num_repeats,
    flags: run.flags,
  });
  const known = detail ? quick : { ...quick, dataset: null };
  const [packages, uncommitted, slow] = await Promise.all([
    installedPackages(python),
    trainer.checkout ? uncommittedDiff(trainer.checkout) : null,
    // Hashes that are not known in time are no difference: sizes and times are.
    within<Pick<Comparable, 'dataset' | 'models'>>(PATIENCE_MS, slowFacts(known, python, hashes), () => known),
  ]);
  return { ...known, dataset: slow.dataset, models: slow.models, packages, trainer: { ...known.trainer, uncommitted } };

  async function commandToday(ours: Settings, of: Run) {
    const launcher = launcherFor(ours, of.state);
    const from = { begin: { kind: 'relaunch' as const }, launcher, from: null, stepOffset: 0, firstStep: 0 };
    // A new attempt is planned, and never made: nothing is moved or written.
    const { command: planned } = await prepareAttempt(ours, { ...of, ...from });
    return flagsOf(planned.argv).length > 0 && folder ? planned : { argv: [], cwd: '/' };
  }
}

function noPictures({ dataset }: Comparable): DatasetDetail {
  const nothing = { files: [], orphan_captions: [], not_decoded: 0, cover: null, modified_at: '' };
  const passed_over = { other_kinds: [], other_captions: [], folders: [] };
  const { name = '', path = '' } = dataset ?? {};
  return { ...nothing, passed_over, name, path, images: 0, captions: 0 };
}

/** What an older record tells by itself: less, and nothing that is not known. Null for what was never started. */
function fromRecord(state: UiState): Comparable | null {
  const start = state.attempts.findLast(({ kind }: AttemptEntry) => kind !== 'resume');
  if (!start) return null;
  const environment = (state.environment ?? {}) as Record<string, unknown>;
  const told = (name: string) => (typeof environment[name] === 'string' ? (environment[name] as string) : null);
  const { dataset } = state;
  return {
    trackside: '',
    command: { argv: start.argv, cwd: start.cwd ?? '/', environment: {} },
    trainer: {
      id: state.trainer ?? '',
      script: null,
      folder: null,
      commit: told('trainer_commit'),
      uncommitted: null,
      sha256: null,
    },
    environment: Object.fromEntries(
      ['python', 'torch', 'accelerate', 'system', 'gpu', 'driver'].map((name) => [name, told(name)]),
    ),
    packages: null,
    dataset: dataset?.fingerprint
      ? {
          ...NO_FILES,
          name: dataset.path?.split('/').at(-1) ?? '',
          path: dataset.path ?? '',
          fingerprint: dataset.fingerprint,
          repeats: dataset.repeats ?? null,
        }
      : null,
    models: [],
  };
}

const NO_FILES: Pick<NonNullable<Provenance['dataset']>, 'files' | 'pictures' | 'text'> = {
  files: [],
  pictures: { count: 0, bytes: 0, sizes: {}, width: null, height: null },
  text: { captions: 0, without: 0, characters: null, tokens: null, tags: {} },
};

function attempted<T>(find: () => T, what: string, was: string, missing: Difference[]): T | null {
  try {
    return find();
  } catch (error) {
    return gone(error, what, was, missing);
  }
}

/** A Problem becomes a line; every other error is thrown on. */
function gone(error: unknown, what: string, was: string, missing: Difference[]): null {
  if (!(error instanceof Problem)) throw error;
  missing.push({ what, was, now: error.ahead });
  return null;
}

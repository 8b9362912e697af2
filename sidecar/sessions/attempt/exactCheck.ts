import { within } from '../../caught.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { readDataset } from '../../datasets/read.js';
import { memoForTime } from '../../files/memoForTime.js';
import { local } from '../../launchers/local.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { type ExactFacts, factsOfCommand } from '../../trainers/exactFacts.js';
import { installedPackages } from '../../trainers/installed.js';
import { resumeArgv } from '../../trainers/resumeArgv.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { subsetsOf } from '../../trainers/subsets.js';
import type { Trainer, TrainingInput } from '../../trainers/trainer.js';
import { differsFrom, type Today, type WhatDiffers } from '../lineage/exactness.js';
import { readPictures } from '../preflight/pictures.js';
import { readRun } from '../preflight/run.js';
import type { MadeOf } from '../record/uiState.js';
import type { SessionEvidence } from '../status/evidence.js';
import { readEnvironment } from './environment.js';

/** Milliseconds that a list of sessions may show what was found before; a session that is asked for is looked at anew. */
const FRESH_MS = 5000;
/** Milliseconds that an interpreter is waited for: what it does not tell in time is unknown. */
const PATIENCE_MS = 3000;

type Of = Pick<SessionEvidence, 'name' | 'folder' | 'outputName' | 'state' | 'trainer' | 'latest'>;

/**
 * Tells before a resume what keeps a state from being gone on with exactly: what it was made of is compared with what an
 * attempt would be made of now. The trainer compares once more, what only it knows, too.
 */
export function createExactCheck(settings: Settings): (of: Of, anew: boolean) => Promise<WhatDiffers> {
  const kept = memoForTime<Promise<WhatDiffers>>(FRESH_MS);
  return (of, anew) =>
    kept(
      of.folder,
      async () => {
        if (!settings.exactPause || of.state?.exact_pause === false) return () => ['exact pause is switched off'];
        const today = await lookAtToday(settings, of);
        return today ? differsFrom(today) : () => [];
      },
      anew,
    );
}

/** Null where the session could not be started now: why, is said when it is. */
async function lookAtToday(settings: Settings, of: Of): Promise<Today | null> {
  try {
    return await today(settings, of);
  } catch (error) {
    if (!(error instanceof Problem)) log.warn('sessions', 'What a resume would differ in is unknown.', { error });
    return null;
  }
}

async function today(settings: Settings, { name, folder, outputName, state, trainer: id, latest }: Of) {
  const trainer = findTrainer(settings, id);
  const first = state?.attempts.findLast(({ kind }) => kind !== 'resume');
  if (!state || !first || trainer.own) return null;
  const detail = await readPictures(settings, { name }, state, null);
  const gpus = wished(state.gpus) ?? latest?.gpus ?? [];
  const run = readRun({ state, trainer, detail, gpus });
  const input: TrainingInput = {
    settings: run.settings,
    arguments: state.arguments,
    datasetPath: detail.path,
    outputPath: folder,
    outputName,
    resume: null,
    gpus,
    python: trainer.python ?? settings.python,
    exactPause: true,
  };
  const command = trainer.command(input);
  const argv = resumeArgv(first.argv, command.argv, trainer.models ?? []);
  const facts = {
    ...factsOfCommand({ argv }, trainer.files(input, { ...command, argv })),
    ...(await deviceOf(trainer, gpus, argv)),
    ...(await versionsOf(input.python)),
  };
  return { facts, madeOf: await madeOfNow(settings, detail, run.settings, trainer) };
}

/** What an attempt is made of, for a later resume to compare with. */
export async function madeOfNow(
  { datasets }: Pick<Settings, 'datasets'>,
  detail: DatasetDetail,
  { num_repeats, more_datasets, reg_datasets }: TrainingSettings,
  trainer: Pick<Trainer, 'script'>,
): Promise<MadeOf> {
  const further = [...subsetsOf(more_datasets), ...subsetsOf(reg_datasets)].map(async ({ name, repeats }) => {
    return { name, repeats, fingerprint: fingerprintDataset(await readDataset(datasets, name, null)) };
  });
  const own = { name: detail.name, fingerprint: fingerprintDataset(detail), repeats: num_repeats };
  return { datasets: [own, ...(await Promise.all(further))], commit: trainer.script.commit ?? null };
}

/** Null for "all", and without a wish. */
function wished(gpus: string | undefined): number[] | null {
  return gpus && /^[\d,\s]+$/.test(gpus) ? gpus.split(',').map(Number) : null;
}

/** The name of its first GPU, as torch tells it, too. */
async function deviceOf(trainer: Trainer, gpus: readonly number[], argv: readonly string[]): Promise<ExactFacts> {
  if (!trainer.usesGpu || argv.includes('--cpu')) return {};
  const offered = (await local.offers()).gpus.find(({ index }) => index === (gpus[0] ?? 0));
  return offered ? { device: offered.name } : {};
}

async function versionsOf(python: string): Promise<ExactFacts> {
  const [environment, packages] = await Promise.all([
    readEnvironment(python),
    within(PATIENCE_MS, installedPackages(python), () => null),
  ]);
  const version = (name: string) => {
    const found = packages?.find((each) => each.toLowerCase().startsWith(`${name}==`));
    return found ? { [name]: found.slice(name.length + 2) } : {};
  };
  const release = environment.python?.split('.').slice(0, 2).join('.');
  return {
    ...(release ? { python: release } : {}),
    ...version('torch'),
    ...version('numpy'),
    ...version('accelerate'),
  };
}

import type { LauncherId } from '../../launchers/launcher.js';
import { local } from '../../launchers/local.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { readDisk } from '../../telemetry/disk.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { error, type Finding, warning } from '../../trainers/finding.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { readValues } from '../../trainers/script/values.js';
import type { Trainer } from '../../trainers/trainer.js';
import { gpuHolders, pickGpus, wantsGpu } from '../claimGpus.js';
import type { SessionFacts } from '../facts.js';
import type { UiState } from '../record/uiState.js';
import { gpusOnNode, launcherFor } from '../record/wants.js';
import type { Session } from '../status/session.js';
import { checkDisk } from './disk.js';
import { checkGpuMemory, checkSharedMemory } from './memory.js';
import { checkModels, checkTokenizers } from './models.js';
import { checkPictures, checkSamePictures, checkSubsets, readPictures } from './pictures.js';
import { type Run, readRun } from './run.js';
import { checkSaves } from './saves.js';

/** The findings before a start. `ready`: there are no errors. */
export type Preflight = { ready: boolean; errors: Finding[]; warnings: Finding[] };

/** Checks everything that a start of this session needs, for the page, and changes nothing. */
export async function preflight(
  deps: { settings: Settings; outputs: { list(): Promise<SessionFacts[]> } },
  session: Session,
): Promise<Preflight> {
  const { state } = session;
  if (!state) return summary([error('no_settings', 'Its settings are unknown.')]);
  try {
    const trainer = findTrainer(deps.settings, session.trainer);
    if (trainer.own) {
      readValues(await trainer.own.describe(), state.arguments, pathRoots(deps.settings, trainer), true);
      return summary([]);
    }
    const detail = await readPictures(deps.settings, session, state);
    const launcher = launcherFor(deps.settings, state);
    const chosen = await gpusFor(deps.outputs, trainer, state, launcher);
    const run = readRun({ session, state, trainer, detail, gpus: chosen.gpus });
    const firstEpoch = session.facts.resume?.first_epoch ?? 1;
    return summary([...chosen.found, ...(await findingsFor(deps.settings, run, firstEpoch, launcher))]);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return summary([findingOf(problem)]);
  }
}

/** All errors and warnings before a launch that begins with `firstEpoch` (from 1). */
export async function findingsFor(
  ours: Settings,
  run: Run,
  firstEpoch: number,
  launcher: LauncherId,
): Promise<Finding[]> {
  const { session, state, trainer, detail, settings, flags, epoch } = run;
  const python = trainer.python ?? ours.python;
  const needs = trainer.models ?? [];
  const { cwd } = trainer.script;
  const found = await Promise.all([
    checkAge(trainer, settings.enable_checkpointing, firstEpoch),
    checkPictures(detail, trainer, python),
    checkSamePictures(detail, state),
    checkSubsets(ours.datasets, settings),
    checkSaves(settings, flags, epoch.exact ? epoch.steps : null),
    conflictsOf(run),
    checkModels(needs, flags, cwd),
    checkTokenizers(needs, ours.models),
    checkDisk({ session, settings, flags, needs, cwd, detail, from: firstEpoch, stepsPerEpoch: epoch.steps }),
    // A node of a cluster has others.
    ...(trainer.usesGpu && launcher === 'local' ? [checkGpus(run), checkWorkers(run)] : []),
    trainer.check?.({ flags, rank: settings.network_dim, python, isHere: launcher === 'local' }),
  ]);
  return found.flatMap((each) => each ?? []);
}

/** Throws all errors as one Problem. */
export function refuseErrors(name: string, found: readonly Finding[]): void {
  const errors = found.filter((each) => each.severity === 'error');
  const [first] = errors;
  if (!first) return;
  const about = first.about ?? { session: name };
  const fields = Object.fromEntries(errors.flatMap(({ field, message }) => (field ? [[field, message]] : [])));
  const words = errors.map(({ message }) => message).join(' ');
  const code = errors.length === 1 ? first.code : 'not_ready';
  const field = errors.length === 1 ? first.field : undefined;
  throw new Problem(code, words, { about, ...(field ? { field } : {}), ...(errors.length > 1 ? { fields } : {}) });
}

function summary(found: readonly Finding[]): Preflight {
  const errors = found.filter((each) => each.severity === 'error');
  return { ready: errors.length === 0, errors, warnings: found.filter(({ severity }) => severity === 'warning') };
}

function findingOf({ code, ahead, field, about }: Problem): Finding {
  return error(code, ahead, { ...(field ? { field } : {}), ...(about ? { about } : {}) });
}

async function gpusFor(
  outputs: { list(): Promise<SessionFacts[]> },
  trainer: Trainer,
  state: UiState,
  launcher: LauncherId,
) {
  if (launcher !== 'local') return { gpus: gpusOnNode(state), found: [] };
  return wantsGpu(trainer, state.vram) ? wouldGet(outputs, state) : { gpus: [], found: [] };
}

async function wouldGet(outputs: { list(): Promise<SessionFacts[]> }, state: UiState) {
  try {
    return { gpus: pickGpus(state.gpus ?? '', await local.offers(), gpuHolders(await outputs.list())), found: [] };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { gpus: [], found: [findingOf(problem)] };
  }
}

/** A resume needs a script that can; a start only warns, if it saves states. */
async function checkAge(trainer: Trainer, savesStates: boolean, firstEpoch: number): Promise<Finding[]> {
  const words = savesStates || firstEpoch > 1 ? ((await trainer.tooOld?.()) ?? null) : null;
  if (words === null) return [];
  return [firstEpoch > 1 ? error('no_script', words) : warning('too_old_to_resume', words)];
}

function conflictsOf({ trainer, settings, state }: Run): Finding[] {
  const wrong = trainer.conflicts?.(settings, state.arguments) ?? {};
  return Object.entries(wrong).map(([field, message]) => error('conflict', message, { field }));
}

async function checkGpus({ trainer, gpus, settings }: Run): Promise<Finding[]> {
  const preset = trainer.presets?.find(({ vram }) => vram === settings.vram) ?? null;
  return checkGpuMemory(await local.offers(), gpus, preset);
}

async function checkWorkers({ settings, flags }: Run): Promise<Finding[]> {
  const free = (await readDisk('/dev/shm'))?.free_bytes ?? null;
  const { workers, resolution } = settings;
  return checkSharedMemory(free, { workers, resolution, batchSize: Number(flags.train_batch_size ?? 1) });
}

import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { inTime } from '../../files/inTime.js';
import { isoTime } from '../../files/isoTime.js';
import { logOfJob } from '../../launchers/slurm/handJobs.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { readOutputOf } from '../../telemetry/outputOf.js';
import { NO_PROGRESS, type Progress } from '../../telemetry/progress.js';
import type { CheckpointOnDisk } from '../../trainers/dialect.js';
import { defaultDialect } from '../../trainers/dialects.js';
import { type HandRun, wordsOfRun } from './runs.js';

/** The progress of a training by hand: from its output in a file, a log in its folder, or its newest checkpoint. All null when unknown. */
export async function readHandProgress(run: HandRun): Promise<Progress> {
  // What lies in its folder is of an earlier run.
  if (run.job?.waits) return { ...NO_PROGRESS };
  return inTime(`progress of ${wordsOfRun(run)}`, () => readNow(run)).catch(
    ifUnreadable({ ...NO_PROGRESS }, 'by-hand'),
  );
}

async function readNow(run: HandRun): Promise<Progress> {
  const { job, since, processes } = run;
  const logs = await logsOf(run);
  const { console } = defaultDialect;
  if (job) {
    const own = await logOfJob(job);
    const all = own === null ? logs : [own, ...logs];
    return (await readOutputOf(job.training, console, { pid: null, since, logs: all })) ?? (await savedProgress(run));
  }
  const trainer = processes.find(({ as }) => !as.launcher) ?? processes[0];
  const printed = trainer && (await readOutputOf(trainer.as, console, { pid: trainer.pid, since, logs }));
  return printed ?? (await savedProgress(run));
}

/** The most logs of a folder that are read. */
const MOST_LOGS = 8;

/** What a web page, `tee`, `nohup` or `script` calls a log. */
const LOG_NAME = /\.log$|^(?:log|out|output|nohup)\.(?:txt|out)$|^typescript$/i;

const isLog = (name: string) => LOG_NAME.test(name);

/** Logs in the folder that it saves to, in a folder for logs there, and beside it by its name: ours by name first. */
async function logsOf({ outputDir, outputName }: HandRun): Promise<string[]> {
  const own = [basename(outputDir), outputName].map((name) => `${name}.log`);
  const inside = await filesIn(outputDir, isLog);
  const below = await Promise.all(['logs', 'log'].map((name) => filesIn(join(outputDir, name), isLog)));
  const beside = await filesIn(dirname(outputDir), (name) => own.includes(name));
  const ours = (path: string) => Number(path === join(outputDir, LOG_FILE));
  return [...inside.sort((a, b) => ours(b) - ours(a)), ...below.flat(), ...beside].slice(0, MOST_LOGS);
}

async function filesIn(folder: string, isMeant: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifUnreadable([], 'sessions'));
  return entries.filter((entry) => entry.isFile() && isMeant(entry.name)).map(({ name }) => join(folder, name));
}

async function savedProgress({ outputDir, outputName, since }: HandRun): Promise<Progress> {
  if (!outputName) return { ...NO_PROGRESS };
  const checkpoints = await defaultDialect.checkpoints(outputDir, outputName).catch(ifUnreadable([], 'sessions'));
  const isOwn = ({ name, whole }: CheckpointOnDisk) => whole && defaultDialect.saved(name, outputName) !== null;
  const newest = checkpoints.find((each) => isOwn(each) && each.savedAtMs >= Date.parse(since));
  return newest ? progressOf(newest) : { ...NO_PROGRESS };
}

function progressOf({ kind, savedAtMs, epoch, epochs, steps, stepsPerEpoch }: CheckpointOnDisk): Progress {
  const total = stepsPerEpoch !== null && epochs !== null ? stepsPerEpoch * epochs : null;
  // Steps in the file count from the last resume; epochs count from the beginning.
  const step = kind === 'step' ? steps : stepsPerEpoch !== null && epoch !== null ? stepsPerEpoch * epoch : null;
  const percent = step !== null && total ? Math.min(100, Math.round((1000 * step) / total) / 10) : null;
  const updated_at = isoTime(savedAtMs);
  return { ...NO_PROGRESS, phase: 'training', step, total_steps: total, epoch, epochs, percent, updated_at };
}

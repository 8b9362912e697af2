import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { projectRoot } from './bridge.js';
import { LOG_LEVELS } from './log.js';
import { type Pod, podOf } from './pod.js';
import { Problem } from './problem.js';

const path = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value) => resolve(value));

const PORT = 'a whole number from 0 to 65535';
const SCALE = 'a number above 0';
const DAYS = 'a whole number of days, 0 for never';
const HOUR = 'an hour, from 0 to 23';
const COUNT = 'a whole number';

const secondsList = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text) => text.split(',').map(Number))
    .refine((seconds) => seconds.every((each) => each >= 0 && each <= 86_400), 'seconds, separated by commas');

/** Error messages complete the sentence “it must be …”. */
const schema = z.object({
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number(PORT).int(PORT).min(0, PORT).max(65535, PORT).default(7860),
  outputs: path(resolve(projectRoot, 'outputs')),
  datasets: path(resolve(projectRoot, 'datasets')),
  /** Token, cookie key and secrets: readable by our own user only (mode 0700), and outside the outputs. */
  private: path(resolve(process.env.XDG_CONFIG_HOME || resolve(homedir(), '.config'), 'trackside')),
  /** Model files, and downloads of them. */
  models: path(resolve(projectRoot, 'models')),
  /** The checkout of kohya-ss/sd-scripts; '' to look in the usual places. */
  sdScripts: z.string().trim().default(''),
  python: z.string().default('python3'),
  /** Where trainings run: on this machine, on a Slurm cluster, or as each session says. */
  launcher: z.enum(['auto', 'local', 'slurm'], 'auto, local or slurm').default('auto'),
  /** A folder of the user's own training scripts; '' for none. */
  trainers: z
    .string()
    .trim()
    .default('')
    .transform((value) => value && resolve(value)),
  /** The user's token; '' to make one and keep it in `private`. */
  token: z.string().trim().default(''),
  allowedHosts: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((host) => host.trim().toLowerCase() || [])),
  /** Seconds before the first, second and third automatic resume without a new checkpoint. */
  autoResumeDelays: secondsList('10,20,40'),
  /** Seconds before a notice is tried again after the first, second, … failure; the last one counts from then on. */
  noticeDelays: secondsList('5,15,60,300,900'),
  /** The address of the pod's provider, in place of its own: for a proxy, and for tests. */
  podApi: z.string().trim().default(''),
  /** Seconds between two tries to stop the pod, and until a stop has to have worked. */
  podPatience: secondsList('30,120'),
  /** Start sd-scripts so that it can be paused after any step. */
  exactPause: z.union([z.boolean(), z.stringbool('on or off')]).default(true),
  /** The lowest level in the log. */
  log: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).default('info'),
  /** Days until what a training leaves beside its weights may be removed; 0 to remove nothing by itself. */
  retentionDays: z.coerce.number(DAYS).int(DAYS).min(0, DAYS).max(36_500, DAYS).default(30),
  /** The hour of the nightly cleanup, by the clock of this machine. */
  purgeHour: z.coerce.number(HOUR).int(HOUR).min(0, HOUR).max(23, HOUR).default(3),
  /** State folders, and steps with samples, that a cleanup leaves to each session: the newest. */
  keepLast: z.coerce.number(COUNT).int(COUNT).min(1, COUNT).max(10_000, COUNT).default(1),
  /** States of every Nth epoch that it leaves, too; 0 for none. */
  keepEvery: z.coerce.number(COUNT).int(COUNT).min(0, COUNT).max(10_000, COUNT).default(0),
  /** Factor for the time limits of a stalled training (sessions/status/stall.ts): 2 for a slow disk. */
  stallScale: z.coerce.number(SCALE).positive(SCALE).default(1),
});

/** The settings of `trackside serve`: validated once, with absolute paths, never changed afterwards. */
export type Settings = Readonly<z.infer<typeof schema>> & {
  /** Is the token required? */
  readonly login: boolean;
  readonly pod: Pod;
  readonly root: string;
  readonly templates: string;
  readonly version: string;
  /** Identifies the code: changes with every build that changed something. */
  readonly build: string;
};

/** Reads the settings: flags win over environment variables, these over defaults. Throws a Problem that names the setting. */
export function readSettings(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = flags[name] ?? environment[variable(name)];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0]);
    throw new Problem(
      'bad_setting',
      `${variable(name)} is "${String(given[name])}", but it must be ${issue?.message}.`,
    );
  }
  const { version } = JSON.parse(readFileSync(resolve(projectRoot, 'package.json'), 'utf8')) as { version: string };
  return Object.freeze({
    ...parsed.data,
    login: flags.login !== false && !['1', 'true', 'yes'].includes(environment.TRACKSIDE_NO_LOGIN ?? ''),
    pod: podOf(environment),
    root: resolve(projectRoot),
    templates: resolve(projectRoot, 'templates'),
    version,
    build: buildId(),
  });
}

/** The id from sidecar/build.sh; a new one per process under a test runner and `npm run dev`, which compile for themselves. */
function buildId(): string {
  try {
    return readFileSync(new URL('../id', import.meta.url), 'utf8').trim();
  } catch {
    // silent: a test runner compiles for itself.
    return randomUUID();
  }
}

/** `allowedHosts` → `TRACKSIDE_ALLOWED_HOSTS` */
function variable(name: string): string {
  if (name === 'retentionDays') return 'TRAINING_RETENTION_DAYS';
  return `TRACKSIDE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

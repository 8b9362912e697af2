import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../bridge.js';
import { Lru } from '../files/lru.js';

const pid = z.int().min(2);
const ticks = z.int().min(0);

/** Its fields are those of the contract (trainer-bridge/trackside/contract.json): a test compares them. */
export const attemptSchema = z.looseObject({
  id: z.string().min(1),
  number: z.int(),
  kind: z.enum(['start', 'resume', 'relaunch']),
  /** The runner, which leads the process group. */
  pid,
  start_ticks: ticks,
  pid_namespace: z.string().nullable(),
  init_start_ticks: ticks.nullable(),
  boot_id: z.string().nullable().default(null),
  hostname: z.string(),
  /** The folder the attempt was started in: a copy of it made with `cp -r` does not hold a living attempt. */
  output: z.string().nullable().default(null),
  output_inode: z.number().nullable().default(null),
  /** The file system's device number, and the log's inode: who writes into that log is of the attempt. */
  device: z.number().nullable().default(null),
  log_inode: z.number().nullable().default(null),
  /** What the runner holds the kernel's lock on; its trainer inherits it. */
  lock: z.enum(['folder', 'file']).nullable().default(null),
  started_at: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  /** Byte offsets in training.log; `log_end` is null while the attempt lives. */
  log_start: z.int(),
  trainer_pid: pid.nullable(),
  trainer_start_ticks: ticks.nullable(),
  /** Set when the runner was told to end. */
  stop_signal: z.string().nullable(),
  /** By whom: a PID, 0 for somebody outside of the PID namespace; and when, in seconds since the machine booted. */
  stop_sender: z.int().nullable().default(null),
  stop_uptime: z.number().nullable().default(null),
  /** Of the trainer. May be there before `ended_at`, while what the trainer left behind is still ending. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  oom_killed: z.boolean(),
  /** Processes of the runner's control group that the kernel killed for lack of memory meanwhile; null where no counter tells. */
  oom_kills: z.int().nullable().default(null),
  reason: z.string().nullable(),
  log_end: z.int().nullable(),
  /** ISO 8601 in UTC. Not null: nothing of the attempt is left, and this is the exit record. */
  ended_at: z.string().nullable(),
});

/** `attempt.json` as the runner writes it (trainer-bridge/trackside/runner.py). */
export type AttemptRecord = Readonly<z.infer<typeof attemptSchema>>;

/** A file that is there but cannot be understood. `broken` says why, in words. */
export type BrokenFile = { readonly broken: string };

/**
 * The record of the last attempt in an output folder; null when there is none. Files that did not change are not read
 * again, so that a thousand sessions can be asked every second. Never throws.
 */
export function readAttempt(outputFolder: string): AttemptRecord | BrokenFile | null {
  const path = join(outputFolder, contract.files.attempt);
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) {
      known.delete(path);
      return null;
    }
    if (!stats.isFile()) return { broken: 'attempt.json is not a file' };
    const version = `${stats.ino}:${stats.size}:${stats.ctimeMs}:${stats.mtimeMs}`;
    const before = known.get(path);
    if (before?.version === version) return before.content;
    const content = parseAttempt(readFileSync(path, 'utf8'));
    known.set(path, { version, content });
    return content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return { broken: `attempt.json cannot be read: ${(error as Error).message}` };
  }
}

/** Who lives is asked after all the time; thousands that rest are not worth their memory. */
const known = new Lru<{ version: string; content: AttemptRecord | BrokenFile }>(1000);

function parseAttempt(text: string): AttemptRecord | BrokenFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { broken: `attempt.json is not JSON: ${(error as Error).message}` };
  }
  const parsed = attemptSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { broken: `attempt.json: ${issue?.path.join('.') || 'the whole file'}: ${issue?.message}` };
}

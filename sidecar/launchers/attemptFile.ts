import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../bridge.js';
import { ifUnreadable } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { Lru } from '../files/lru.js';
import { FileRefused, readTextNow } from '../files/regularFile.js';
import { log } from '../log.js';

const pid = z.int().min(2);
const ticks = z.int().min(0);

/** Its fields are those of the contract (trainer-bridge/trackside/_attempt/contract.json): a test compares them. */
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
  /** Of a cluster's job, whose script is the runner: its number, the cluster's name, and its first node. */
  job: z.string().nullable().default(null),
  cluster: z.string().nullable().default(null),
  node: z.string().nullable().default(null),
  /** The folder that the attempt was started in: a copy made with `cp -r` has no living attempt. */
  output: z.string().nullable().default(null),
  output_inode: z.number().nullable().default(null),
  /** Where the trainer saves, when that is no longer this folder: it was moved, or its volume unmounted. */
  saves_to: z.string().nullable().default(null),
  /** The file system's device number, and the log's inode: all writers of that log belong to the attempt. */
  device: z.number().nullable().default(null),
  log_inode: z.number().nullable().default(null),
  /** The object of the runner's kernel lock, which its trainer inherits. */
  lock: z.enum(['folder', 'file']).nullable().default(null),
  started_at: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  /** Byte offsets in training.log; `log_end` is null while the attempt lives. */
  log_start: z.int(),
  trainer_pid: pid.nullable(),
  trainer_start_ticks: ticks.nullable(),
  /** Seconds that the training may take to end after a stop; null in older records. */
  stop_grace: z.number().nullable().default(null),
  /** Set when the runner got a signal to end. */
  stop_signal: z.string().nullable(),
  /** Set when a sidecar asked it to end, by a file in the folder. */
  stop_requested_at: z.string().nullable().default(null),
  /** The sender's PID, 0 outside of the PID namespace, and its program; the time, in seconds since the machine booted. */
  stop_sender: z.int().nullable().default(null),
  stop_sender_name: z.string().nullable().default(null),
  stop_uptime: z.number().nullable().default(null),
  /** Of the trainer. May be set before `ended_at`, while its last processes are still ending. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  oom_killed: z.boolean(),
  /** Processes of the runner's control group that the kernel killed for lack of memory; null without a counter. */
  oom_kills: z.int().nullable().default(null),
  reason: z.string().nullable(),
  log_end: z.int().nullable(),
  /** ISO 8601 in UTC. Once set, no process of the attempt is left, and this is the exit record. */
  ended_at: z.string().nullable(),
});

/** `attempt.json` as the runner writes it (trainer-bridge/trackside/_attempt/runner.py). */
export type AttemptRecord = Readonly<z.infer<typeof attemptSchema>>;

/**
 * The record of the last attempt in an output folder. Null without one, or for an invalid one, which is logged. Unchanged
 * files are not read again, so a thousand sessions can be checked every second. Never throws.
 */
export function readAttempt(outputFolder: string): AttemptRecord | null {
  const path = join(outputFolder, contract.files.attempt);
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) {
      known.delete(path);
      return null;
    }
    const version = `${stats.ino}:${stats.size}:${stats.ctimeMs}:${stats.mtimeMs}`;
    const before = known.get(path);
    if (before?.version === version) return before.record;
    const record = readRecord(path);
    if (!record) log.warn('launchers', `${path} is not valid.`);
    known.set(path, { version, record });
    return record;
  } catch (error) {
    return ifUnreadable(null, 'launchers')(error);
  }
}

/** Bytes. An argument of Linux has 128 kB at most, and all of them 2 MB. */
const LARGEST = 3_000_000;

function readRecord(path: string): AttemptRecord | null {
  try {
    return attemptSchema.safeParse(withSaneNumbers(jsonOrNull(readTextNow(path, LARGEST)))).data ?? null;
  } catch (error) {
    if (error instanceof FileRefused) return null;
    throw error;
  }
}

/** A number that no attempt ever had reads as none: the record still identifies processes. */
function withSaneNumbers(record: unknown): unknown {
  if (typeof record !== 'object' || record === null) return record;
  const { number, log_start: start, log_end: end } = record as Record<string, unknown>;
  const isOffset = (value: unknown) => typeof value === 'number' && value >= 0 && value < 2 ** 50;
  return {
    ...record,
    ...(typeof number === 'number' && { number: saneNumber(number) }),
    ...(typeof start === 'number' && !isOffset(start) && { log_start: 0 }),
    ...(typeof end === 'number' && !isOffset(end) && { log_end: null }),
  };
}

/** The number of an attempt, or 0 for one that no attempt ever had. */
export function saneNumber(number: number): number {
  return Number.isInteger(number) && number > 0 && number <= contract.largest_number ? number : 0;
}

/** Only living attempts are read all the time; thousands at rest are not worth the memory. */
const known = new Lru<{ version: string; record: AttemptRecord | null }>(1000);

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { readOr } from '../caught.js';
import { ownNamespace } from '../processes/identity.js';
import { foundPython } from '../processes/python.js';
import type { AttemptRecord } from './attemptFile.js';
import { HEARTBEAT_SECONDS, isBeatenFor } from './heartbeat.js';

/**
 * Is an attempt of another container certainly over, because its folder has no kernel lock? Distinguishes a restarted
 * pod from a second one on the same volume at once, whatever clocks and PIDs say.
 *
 * Only this machine's kernel can answer. So the boot id has to be ours (containers of one machine share it, and the
 * kernel), and so has the device number, which stays with the file system while the attempt lives. Otherwise false; and
 * false while a sidecar beats for a dead runner. Checked at first, then every 2 s while heartbeats are missing; takes
 * some 10 ms.
 */
export function isUnlocked(attempt: AttemptRecord, outputFolder: string, silentSeconds: number): boolean {
  const before = answers.get(attempt.id);
  if (before?.free) return true;
  const now = performance.now();
  if (before && (now - before.at < ASK_MS || silentSeconds < HEARTBEAT_SECONDS + 1)) return false;
  const free = isOfThisKernel(attempt, outputFolder) && !isBeatenFor(outputFolder) && tryLock(outputFolder);
  answers.set(attempt.id, { free, at: now });
  return free;
}

const ASK_MS = 2000;
/** A lock that was free once stays free: the attempt took it before it wrote its record, and ids are unique. */
const answers = new Map<string, { free: boolean; at: number }>();

function isOfThisKernel(attempt: AttemptRecord, outputFolder: string): boolean {
  const { bootId } = ownNamespace();
  if (attempt.lock !== 'folder' || bootId === null || attempt.boot_id !== bootId) return false;
  return readOr(false, 'launchers', () => statSync(outputFolder).dev === attempt.device);
}

/** Shared and non-blocking, so that two checks do not meet; Node itself has no flock(2). */
const TRY = 'import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)';

function tryLock(outputFolder: string): boolean {
  const asked = spawnSync(foundPython(), ['-I', '-S', '-c', TRY, outputFolder], { stdio: 'ignore', timeout: 1000 });
  return asked.status === 0;
}

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { ifUnreadable } from '../caught.js';
import { ownNamespace } from '../processes/identity.js';
import { foundPython } from '../processes/python.js';
import type { AttemptRecord } from './attemptFile.js';
import { HEARTBEAT_SECONDS, isBeatenFor } from './heartbeat.js';

/**
 * Whether an attempt of another container is certainly over, because nobody holds the kernel's lock on its folder. Tells
 * a restarted pod from a second one that shares the volume, at once and whatever clocks and PIDs say.
 *
 * Only this machine's kernel can answer that: the boot id has to be ours (two containers of a machine share it, and its
 * kernel), and so has the device number: as long as the attempt lives, that number is its file system's and no other's.
 * False where that is not so, and where a sidecar speaks for a dead runner. Asked at first and then while heartbeats
 * fail to come, every 2 s; it takes some 10 ms.
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
/** A lock that was free once is so for ever: the attempt took it before it wrote its record, and ids never come again. */
const answers = new Map<string, { free: boolean; at: number }>();

function isOfThisKernel(attempt: AttemptRecord, outputFolder: string): boolean {
  const { bootId } = ownNamespace();
  if (attempt.lock !== 'folder' || bootId === null || attempt.boot_id !== bootId) return false;
  try {
    return statSync(outputFolder).dev === attempt.device;
  } catch (error) {
    return ifUnreadable(false, 'launchers')(error);
  }
}

/** Shared and without waiting, so that two who ask do not see each other; Node itself has no flock(2). */
const TRY = 'import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)';

function tryLock(outputFolder: string): boolean {
  const asked = spawnSync(foundPython(), ['-I', '-S', '-c', TRY, outputFolder], { stdio: 'ignore', timeout: 5000 });
  return asked.status === 0;
}

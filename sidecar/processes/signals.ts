import { type ProcessIdentity, readLiving } from './identity.js';

/**
 * Sends a signal to exactly this process, checking the owner of the PID immediately before. Returns whether it was sent:
 * not to a process that is gone, not to PID 1 or below (kill(2) gives them other meanings), never to ourselves.
 */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!Number.isSafeInteger(target.pid) || target.pid <= 1 || target.pid === process.pid) return false;
  if (!readLiving(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch {
    // silent: just gone, or another user's.
    return false;
  }
}

import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '../../bridge.js';
import { ifUnreadable } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { NO_PROGRESS } from '../../telemetry/progress.js';
import { byHandIn } from '../byHand/runs.js';
import type { SessionFacts } from '../facts.js';
import { parseUiState } from '../record/parseUiState.js';
import { STATE_FILE } from '../record/stateFile.js';
import type { UiState } from '../record/uiState.js';
import { attemptFacts } from '../status/attempts.js';
import { AUTO_RESUMES, decideAutoResume } from '../status/autoResumeRule.js';
import { recordedFacts } from '../status/sessionFacts.js';
import { deriveStatus } from '../status/status.js';
import { recordedTrainer } from '../status/trainer.js';
import { folderChanged } from './fingerprints.js';

/** The largest record that is summarised; most have a few kilobytes. */
const LONGEST = 64 * 1024;
/** It exists while a runner lives, or after its sudden death. */
const PID_FILE = contract.files.pid;
/** Neither follows a link, nor waits for a pipe's writer. Whatever it is, 64 kB of it are read at most. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Facts from the record of a session at rest, for the list after a start, and for no action: a twentieth of the time of
 * a whole reading. Facts from its other files stay empty, and `looked_into` is false. Null if a closer look is needed:
 * the session may live, is not settled, can't be read, or is no session. `sign` is the folder's fingerprint (see
 * `fingerprintOf`).
 */
export function readSummary(root: string, name: string, sign: string): SessionFacts | null {
  const folder = join(root, name);
  try {
    // The folder is not listed: under load that takes longer than all the rest.
    if (existsSync(join(folder, PID_FILE)) || byHandIn(folder)) return null;
    return briefFacts(name, folder, sign, readTextNow(join(folder, STATE_FILE)));
  } catch (error) {
    return ifUnreadable(null, 'sessions')(error);
  }
}

function readTextNow(path: string): string {
  const file = openSync(path, AS_IT_IS);
  try {
    const block = Buffer.allocUnsafe(LONGEST);
    return block.toString('utf8', 0, readSync(file, block, 0, LONGEST, 0));
  } finally {
    closeSync(file);
  }
}

/** The same asynchronously, for slow disks. */
export async function readSummaryLater(root: string, name: string, sign: string): Promise<SessionFacts | null> {
  const folder = join(root, name);
  try {
    const lives = access(join(folder, PID_FILE)).then(() => true, ifUnreadable(false, 'sessions'));
    const text = await readText(join(folder, STATE_FILE));
    return (await lives) || byHandIn(folder) ? null : briefFacts(name, folder, sign, text);
  } catch (error) {
    return ifUnreadable(null, 'sessions')(error);
  }
}

/** Does not ask for the size first: that would be one more round trip to a network volume. */
async function readText(path: string): Promise<string> {
  return inFile(open(path, AS_IT_IS), async (file) => {
    const block = Buffer.allocUnsafe(LONGEST);
    const { bytesRead } = await file.read(block, 0, LONGEST, 0);
    return block.toString('utf8', 0, bytesRead);
  });
}

function briefFacts(name: string, folder: string, sign: string, text: string): SessionFacts | null {
  if (text.length >= LONGEST || text.includes('\ufffd')) return null;
  const { state } = parseUiState(text);
  const trainer = recordedTrainer(state);
  if (!isSettled(state) || !trainer) return null;
  const latest = state.attempts.at(-1) ?? null;
  const seen = { liveness: dead, stepSeen: false, checkpoints: 0 };
  const { status, interrupted, reason, reasonCode } = deriveStatus({ state, latest, ...seen });
  const on = state.enable_monitoring ?? false;
  // An auto-resume depends on its states.
  if (on && (latest?.outcome === 'interrupted' || latest?.outcome === 'failed')) return null;
  const created = state.created_at ?? folderChanged(sign)?.toISOString();
  if (!created) return null;
  return {
    ...recordedFacts({ name, folder, state, latest, status }),
    trainer,
    interrupted,
    reason,
    reason_code: reasonCode ?? null,
    record: 'whole',
    looked_into: false,
    final_checkpoint: state.outputs?.final_checkpoint ?? null,
    created_at: created,
    copy_of: null,
    all_trained: status === 'completed' || (latest?.all_trained ?? false),
    progress: { ...NO_PROGRESS },
    attempts: state.attempts.map((each) => attemptFacts(each, latest, dead)),
    resume: null,
    auto_resume: {
      on,
      in_seconds: null,
      ...decideAutoResume({ on, attempts: state.attempts, resume: null, most: AUTO_RESUMES }),
    },
    queue: null,
    stop_cost: null,
    exact_pause: null,
    pausing: false,
    stops_after_save: false,
    by_hand: null,
    next: null,
    newest_sample: null,
    loss_curve: [],
    put_back: null,
  };
}

/** Has every attempt a recorded end, and does the record not claim to live? */
function isSettled(state: UiState): boolean {
  const settled = state.attempts.every(({ outcome }) => outcome !== null);
  const latest = state.attempts.at(-1);
  // Apparently by hand: but the pod may have been ending.
  if (latest?.outcome === 'stopped' && !latest.stop_requested_at) return false;
  return settled && ['draft', 'stopped', 'completed', 'failed'].includes(state.status ?? '');
}

const dead = { alive: 'no' } as const;

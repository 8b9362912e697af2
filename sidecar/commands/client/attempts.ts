import { setTimeout as wait } from 'node:timers/promises';
import type { AttemptKind, SessionFacts } from '../../sessions/facts.js';
import { isAliveOrPending } from '../../sessions/status/alive.js';
import { statusView } from '../../views/status.js';
import { type Door, factsOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { addressOf, resumeWords } from './sessions.js';
import { plain, print } from './terminal.js';

const LOOK_MS = 300;

export type BeginFlags = {
  json?: boolean;
  gpus?: string;
  state?: string;
  epochs?: string;
  queue?: boolean;
  over?: boolean;
  draft?: boolean;
};

/** Starts, resumes or starts over. Resolves when the trainer runs. */
export async function begin(door: Door, name: string, kind: AttemptKind, flags: BeginFlags): Promise<void> {
  const { gpus, state, epochs, queue } = flags;
  if (epochs !== undefined && !/^\d+$/.test(epochs))
    throw new Refusal(EXIT.usage, `--epochs is “${epochs}”, but it must be a whole number.`);
  const body = { kind, gpus, state, queue, max_train_epochs: epochs === undefined ? undefined : Number(epochs) };
  if (kind === 'resume' && !flags.json && state === undefined && epochs === undefined) {
    const { resume } = await factsOf<SessionFacts>(door, 'GET', addressOf(name));
    if (resume) process.stderr.write(`Resumes ${plain(resumeWords(resume))}.\n`);
  }
  type Begun = { number: number; reason: string | null; session: SessionFacts };
  const begun = await factsOf<Begun>(door, 'POST', `${addressOf(name)}/attempts`, body);
  print(begun, flags.json, () => begunWords(begun.session, begun.number));
  refuseFailed(begun.session, begun.reason);
}

function begunWords(session: SessionFacts, attempt: number): string {
  if (session.queue) return `${session.name}: waits for a GPU (trackside queue).`;
  return `${session.name}: attempt ${attempt}, ${statusView(session).word.toLowerCase()}.`;
}

function refuseFailed({ status }: SessionFacts, reason: string | null): void {
  if (status === 'failed') throw new Refusal(EXIT.failed, plain(reason ?? 'The trainer could not be started.'));
}

/** Makes the next version with the settings of a session, and starts it; what differs since is said before, on stderr. */
export async function relaunch(door: Door, name: string, flags: BeginFlags): Promise<void> {
  const { gpus, queue, draft, json } = flags;
  const differs = await factsOf<{ what: string; then: string; now: string }[]>(
    door,
    'GET',
    `${addressOf(name)}/differs`,
  );
  for (const { what, then, now } of json ? [] : differs)
    process.stderr.write(`Differs today: ${plain(`${what}: ${then} → ${now}`)}\n`);
  const body = { start: !draft, queue, gpus };
  const made = await factsOf<SessionFacts>(door, 'POST', `${addressOf(name)}/versions`, body);
  if (draft) return print(made, json, () => `${made.name}: a draft (trackside start ${made.name}).`);
  print(made, json, () => begunWords(made, 1));
  refuseFailed(made, made.reason);
}

export type StopFlags = { json?: boolean; afterSave?: boolean; cancel?: boolean; byHand?: boolean; wait?: boolean };

/**
 * Stops a training, and waits until it has ended. On the state files alone this process is what waits for the save and ends
 * it; with `--no-wait` a sidecar does that.
 */
export async function stop(door: Door, name: string, flags: StopFlags): Promise<void> {
  if (flags.cancel) {
    const kept = await factsOf<SessionFacts>(door, 'DELETE', `${addressOf(name)}/attempts/current/stop`);
    return print(kept, flags.json, () => `${name} goes on.`);
  }
  const when = flags.afterSave ? 'after-save' : 'now';
  const sure = flags.byHand ? '&confirm=by-hand' : '';
  const asked = await factsOf<SessionFacts>(door, 'DELETE', `${addressOf(name)}/attempts/current?when=${when}${sure}`);
  if (flags.wait === false && door.serving) return print(asked, flags.json, () => `${name} was asked to stop.`);
  if (flags.afterSave && !flags.json)
    process.stderr.write(`${name} stops after its next save. Ctrl-C leaves that to a sidecar, if one serves.\n`);
  const ended = await endOf(door, name);
  print(ended, flags.json, () =>
    `${name}: ${statusView(ended).word.toLowerCase()}. ${plain(ended.reason ?? '')}`.trim(),
  );
}

async function endOf(door: Door, name: string): Promise<SessionFacts> {
  for (;;) {
    const session = await factsOf<SessionFacts>(door, 'GET', addressOf(name));
    if (!isAliveOrPending(session)) return session;
    await wait(LOOK_MS);
  }
}

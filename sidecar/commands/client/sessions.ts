import { setTimeout as wait } from 'node:timers/promises';
import type { SessionFacts } from '../../sessions/facts.js';
import { activeSessions } from '../../sessions/outputs/active.js';
import type { ResumeFacts, StateFacts } from '../../sessions/savedFacts.js';
import { attemptWord } from '../../sessions/status/attempts.js';
import type { SessionCost } from '../../sessions/status/sessionCost.js';
import { bytes, count, dollars, duration, loss, percent, plural, relative } from '../../views/formatting.js';
import { statusView } from '../../views/status.js';
import { type Door, factsOf } from './door.js';
import { drawAgain, ownScreen, pairs, print, table } from './terminal.js';

/** The rows of a list that fits on a screen. */
const USUAL_ROWS = 20;
const WATCH_MS = 1000;

export type ListFlags = { json?: boolean; all?: boolean; active?: boolean; watch?: boolean };

/** Lists sessions: running and newest first, as the home page does. `watch` draws it again until Ctrl-C. */
export async function listSessions(door: Door, query: string, flags: ListFlags): Promise<void> {
  const path = `sessions${query ? `?q=${encodeURIComponent(query)}` : ''}`;
  const read = async () => {
    const all = await factsOf<SessionFacts[]>(door, 'GET', path);
    return flags.active ? activeSessions(all) : all;
  };
  if (!flags.watch) {
    const all = await read();
    return print(all, flags.json, () => listOf(all, flags));
  }
  const leave = flags.json ? () => {} : ownScreen();
  process.once('exit', leave);
  // One line a change, for a script that follows.
  for (let before = ''; ; await wait(WATCH_MS)) {
    const all = await read();
    const text = flags.json ? JSON.stringify(all) : `${listOf(all, flags)}\n\n${door.place} · Ctrl-C ends this list`;
    if (!flags.json || text !== before) drawAgain(text);
    before = text;
  }
}

function listOf(all: readonly SessionFacts[], { all: whole }: ListFlags): string {
  if (all.length === 0) return 'No sessions.';
  const shown = whole ? all : all.slice(0, USUAL_ROWS);
  const rows = shown.map((session) => {
    const { name, progress } = session;
    const since = session.completed_at ?? session.attempts.at(-1)?.started_at ?? session.created_at;
    return [
      name,
      statusView(session).word,
      stepsOf(session),
      percent(progress.percent),
      loss(progress.loss),
      session.attempts.at(-1)?.alive
        ? `${duration(progress.eta_seconds)}${progress.eta_guessed ? ' (a guess)' : ''}`
        : '–',
      relative(new Date(since), new Date()),
    ];
  });
  const more = all.length > shown.length ? `\n… and ${all.length - shown.length} more: --all shows them.` : '';
  return table(['NAME', 'STATUS', 'STEP', 'DONE', 'LOSS', 'LEFT', 'SINCE'], rows, [2, 3, 4, 5]) + more;
}

function leftWords({ eta_seconds, eta_guessed }: SessionFacts['progress']): string {
  return `${duration(eta_seconds)}${eta_guessed ? ', a guess until its first samples' : ''}`;
}

function stepsOf({ progress }: SessionFacts): string {
  return progress.step === null ? '–' : `${count(progress.step)}/${count(progress.total_steps)}`;
}

/** Shows one session: what it is, where its files are, its attempts, and what can be done next. */
export async function showSession(door: Door, name: string, { json }: { json?: boolean }): Promise<void> {
  const session = await factsOf<Shown>(door, 'GET', addressOf(name));
  print(session, json, () => detailsOf(session));
}

/** As `GET /sessions/:name` answers. */
type Shown = SessionFacts & { cost: SessionCost | null };

function detailsOf(session: Shown): string {
  const { progress, resume, attempts, next } = session;
  const alive = attempts.at(-1)?.alive === true;
  const facts = pairs({
    Session: session.name,
    Status: statusView(session).word,
    Reason: session.reason,
    Trainer: session.trainer,
    Description: session.description,
    Progress: progress.step === null ? null : `step ${stepsOf(session)}, ${percent(progress.percent)}`,
    Epoch: progress.epoch === null ? null : `${progress.epoch} of ${progress.epochs ?? '–'}`,
    Loss: progress.loss === null ? null : loss(progress.loss),
    Left: alive ? leftWords(progress) : null,
    Dataset: session.dataset_path,
    Output: session.output_path,
    Log: session.log_path,
    Weights: session.final_checkpoint,
    Resume: resume && resumeWords(resume),
    Cost: session.cost && costWords(session.cost),
    Next: next && `trackside ${COMMANDS[next] ?? next} ${session.name}`,
  });
  return attempts.length === 0 ? facts : `${facts}\n\n${attemptsOf(session)}`;
}

/** Where a resume goes on, and why not exactly where it ended. */
export function resumeWords({ state, step, exact, differs, first_epoch, repeated_steps: twice }: ResumeFacts): string {
  if (exact) return `from ${state}, exactly at step ${step}`;
  const why = differs.length > 0 ? `, not exactly: ${differs.join('; ')}` : '';
  return `from ${state}, at epoch ${first_epoch}${twice > 0 ? `, ${plural(twice, 'step')} again` : ''}${why}`;
}

const COMMANDS: Record<string, string> = { 'start over': 'start --over', 'train further': 'resume' };

function costWords({ so_far, to_end, to_end_guessed }: SessionCost): string {
  if (to_end === null) return dollars(so_far);
  return `${dollars(so_far)} so far, ${dollars(so_far + to_end)} at its end${to_end_guessed ? ' (a guess)' : ''}`;
}

function attemptsOf({ attempts }: SessionFacts): string {
  const rows = attempts.map((each) => [
    each.number,
    attemptWord(each),
    each.started_at,
    each.alive ? 'runs' : duration((Date.parse(each.ended_at ?? '') - Date.parse(each.started_at)) / 1000),
    each.pid ?? '–',
    each.reason ?? '',
  ]);
  return table(['ATTEMPT', 'KIND', 'STARTED', 'FOR', 'PID', 'END'], rows, [0, 4]);
}

/** Lists the state folders that a session can be resumed from. */
export async function listStates(door: Door, name: string, { json }: { json?: boolean }): Promise<void> {
  const states = await factsOf<StateFacts[]>(door, 'GET', `${addressOf(name)}/states`);
  print(states, json, () => (states.length === 0 ? `${name} has no state folders.` : statesOf(states)));
}

function statesOf(states: readonly StateFacts[]): string {
  const rows = states.map((each) => [
    each.path,
    each.epoch ?? '–',
    count(each.step),
    bytes(each.bytes),
    relative(new Date(each.saved_at), new Date()),
    each.reason ?? each.refused ?? (each.exact ? 'complete, to go on exactly' : 'complete'),
  ]);
  return table(['STATE', 'EPOCH', 'STEP', 'SIZE', 'SAVED', ''], rows, [1, 2, 3]);
}

/** The address of a session, below the root. */
export function addressOf(name: string): string {
  return `sessions/${encodeURIComponent(name)}`;
}

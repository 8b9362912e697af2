import { type Door, factsOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { addressOf } from './sessions.js';
import { print, table } from './terminal.js';

type Queued = {
  session: string;
  place: number;
  kind: string;
  waits: string | null;
  held: boolean;
  failed: string | null;
};

const MOVES = ['up', 'down', 'first', 'last'];
const ACTIONS = ['add', 'remove', 'hold', 'release', ...MOVES];

/** Lists what waits for a GPU, after changing it where an action and a session are given. */
export async function queue(
  door: Door,
  [action, name]: readonly string[],
  { json }: { json?: boolean },
): Promise<void> {
  if (action !== undefined) await change(door, action, name);
  const { queue: queued } = await factsOf<{ queue: Queued[] }>(door, 'GET', 'queue');
  print(queued, json, () => listOf(queued));
  if (!door.serving && queued.some(({ held, failed }) => !held && !failed))
    process.stderr.write('No sidecar is serving these outputs, so nothing starts until one does (trackside serve).\n');
}

function listOf(queued: readonly Queued[]): string {
  if (queued.length === 0) return 'Nothing waits.';
  const rows = queued.map((each) => [
    each.place,
    each.session,
    each.kind,
    each.failed ?? (each.held ? 'on hold' : (each.waits ?? '')),
  ]);
  return table(['PLACE', 'SESSION', 'KIND', 'WAITS FOR'], rows, [0]);
}

async function change(door: Door, action: string, name: string | undefined): Promise<void> {
  if (!ACTIONS.includes(action)) throw new Refusal(EXIT.usage, `“${action}” is none of ${ACTIONS.join(', ')}.`);
  if (name === undefined) throw new Refusal(EXIT.usage, `Name the session: trackside queue ${action} <session>.`);
  if (action === 'add') await factsOf(door, 'POST', `${addressOf(name)}/queue`, {});
  else if (action === 'remove') await factsOf(door, 'DELETE', `${addressOf(name)}/queue`);
  else if (MOVES.includes(action)) await factsOf(door, 'PATCH', 'queue', { session: name, move: action });
  else await factsOf(door, 'PATCH', 'queue', { session: name, held: action === 'hold' });
}

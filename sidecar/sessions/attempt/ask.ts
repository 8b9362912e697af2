import { join } from 'node:path';
import { contract } from '../../bridge.js';
import { logged } from '../../caught.js';
import { writeWhole } from '../../files/wholeFile.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt } from '../record/uiState.js';
import type { Session } from '../status/session.js';

/** What a training can be asked for between two steps. None of it changes what is trained. */
export type Verb = 'pause' | 'save' | 'sample' | 'finish';

/**
 * Asks a running training to pause, to save, to draw samples, or to end with the weights of its present step. It does so
 * once its step is whole, here or on another host: the request is a file in its folder. Throws a Problem when nothing
 * runs, or when this training can't.
 */
export async function askTraining(
  { outputs }: { outputs: Outputs },
  name: string,
  verb: Verb,
  prompts: string | null,
): Promise<Session> {
  const { latest, liveness, console, folder } = await outputs.read(name);
  const about = { about: { session: name } };
  if (liveness.alive === 'no' || !latest) throw new Problem('not_running', `${name} is not running.`, about);
  if (!console.exact) throw new Problem('not_yet', `${name} is still starting. Try again in a moment.`, about);
  if (!console.exact.available) {
    const why = console.exact.why ? ` (${console.exact.why})` : '';
    throw new Problem('cannot_pause', `This training can't do that between two steps${why}. Use Stop.`, about);
  }
  const asked_at = new Date().toISOString();
  await writeWhole(join(folder, contract.files.ask), JSON.stringify({ attempt: latest.id, verb, prompts, asked_at }));
  if (verb === 'pause') {
    // On a full disk it pauses all the same: the record only tells who asked.
    await updateStateFile(folder, (raw) => editAttempt(raw, latest.id, { pause_requested_at: asked_at })).catch(
      logged('sessions', 'The pause could not be recorded.', name),
    );
  }
  log.info('sessions', `Asked to ${verb}.`, { session: name, attempt: latest.number });
  return outputs.read(name);
}

/** Takes a pause back in the record that the training could not do: it trains on. Returns how to stop listening. */
export function followRefusals({ outputs }: { outputs: Outputs }): () => void {
  return outputs.onConsole((name, events) => {
    if (!events.some(({ type }) => type === 'refused')) return;
    void takeBack(outputs, name).catch(logged('sessions', 'The pause could not be taken back.', name));
  });
}

async function takeBack(outputs: Outputs, name: string): Promise<void> {
  const { latest, folder } = await outputs.read(name);
  if (!latest?.pause_requested_at) return;
  await updateStateFile(folder, (raw) => editAttempt(raw, latest.id, { pause_requested_at: null }));
}

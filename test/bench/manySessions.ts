import { linkSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRecord } from '../../sidecar/launchers/attemptFile.js';
import type { RawState } from '../../sidecar/sessions/record/uiState.js';
import { type TestSidecars, until } from '../sidecar.js';

/** Not "model": a file of that name lies in every state folder. */
const MODEL = 'pattern';

/** Trains one small session for real, of which `manySessions` then makes many. Its folder is `model`. */
export async function trainModel(place: TestSidecars): Promise<string> {
  const sidecar = await place.serve();
  const settings = { num_repeats: 1, max_train_epochs: 4, save_every_n_epochs: 2, resolution: 64 };
  const asked = { ...settings, lora_name: MODEL, dataset: 'example', trainer: 'practice', sample_every_n_steps: 10 };
  const { status, body } = await sidecar.send('POST', 'sessions', { ...asked, start: true });
  if (status !== 201) throw new Error(JSON.stringify(body));
  await until(
    () => sidecar.session(MODEL),
    ({ status }) => status === 'completed',
    60,
  );
  await sidecar.kill('SIGTERM');
  return join(place.outputs, MODEL);
}

/**
 * Fills an outputs folder with `count` sessions like a real one: per hundred 70 completed, 15 stopped and 10
 * interrupted ones that can be resumed, and 5 drafts. Settings, attempts, progress and logs are files of their own;
 * weights, states and pictures are hard links of the model's. `first` is the number of the first one; returns their names.
 */
export function manySessions(outputs: string, model: string, count: number, first = 0): string[] {
  const state = JSON.parse(readFileSync(join(model, 'ui_state.json'), 'utf8')) as RawState;
  const record = JSON.parse(readFileSync(join(model, 'attempt.json'), 'utf8')) as AttemptRecord;
  const progress = readFileSync(join(model, 'progress.json'), 'utf8');
  const log = readFileSync(join(model, 'training.log')).subarray(-4096);
  const names: string[] = [];
  for (let index = first; index < first + count; index += 1) {
    const name = `lora-${String(index).padStart(5, '0')}`;
    const folder = join(outputs, name);
    names.push(name);
    mkdirSync(folder, { recursive: true });
    const kind = kindOf(index);
    writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(stateOf(state, name, folder, index, kind), null, 2));
    if (kind === 'draft') continue;
    const ended = { exit_code: 0, ended_at: timeOf(index, 60) };
    const gone = { exit_code: null, ended_at: null, log_end: null, init_start_ticks: 1, hostname: 'gone' };
    const mine = { id: `attempt-${index}`, output: folder, argv: argvOf(record.argv, name, folder) };
    writeFileSync(
      join(folder, 'attempt.json'),
      JSON.stringify({ ...record, ...mine, ...(kind === 'interrupted' ? gone : ended), log_start: 0 }, null, 2),
    );
    // The last heartbeat of what another machine ran.
    utimesSync(join(folder, 'attempt.json'), new Date(timeOf(index, 60)), new Date(timeOf(index, 60)));
    writeFileSync(join(folder, 'progress.json'), progress.replace(/"attempt":\s*"[^"]+"/, `"attempt": "${mine.id}"`));
    writeFileSync(join(folder, 'training.log'), log);
    linkProducts(model, folder, name, kind === 'completed');
  }
  return names;
}

type Kind = 'completed' | 'stopped' | 'interrupted' | 'draft';

function kindOf(index: number): Kind {
  const of = index % 20;
  return of < 14 ? 'completed' : of < 17 ? 'stopped' : of < 19 ? 'interrupted' : 'draft';
}

/** A session every five minutes, the last of them about now. */
function timeOf(index: number, seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + index * 300_000 + seconds * 1000).toISOString();
}

function stateOf(model: RawState, name: string, folder: string, index: number, kind: Kind): RawState {
  const base = { ...model, lora_name: name, version: 1, created_at: timeOf(index, 0), form_id: undefined };
  const about = { description: `number ${index} of many`, concept_sentence: `zxc${index}` };
  if (kind === 'draft') return { ...base, ...about, status: 'draft', attempts: [], timestamp: undefined };
  const [first] = model.attempts as Record<string, unknown>[];
  const attempt = {
    ...first,
    id: `attempt-${index}`,
    started_at: timeOf(index, 0),
    ended_at: timeOf(index, 60),
    argv: argvOf(first?.argv as string[], name, folder),
    log_start: 0,
    log_end: 4096,
    outcome: kind,
    stop_requested_at: kind === 'stopped' ? timeOf(index, 50) : null,
    reason:
      kind === 'stopped'
        ? 'Stopped by you.'
        : kind === 'interrupted'
          ? 'The pod or the runner process disappeared during the training.'
          : null,
  };
  const status = kind === 'interrupted' ? 'stopped' : kind;
  const timestamp = Date.parse(timeOf(index, 0)) / 1000;
  return { ...base, ...about, status, attempts: [attempt], timestamp, outputs: {}, completed_at: undefined };
}

function argvOf(argv: readonly string[], name: string, folder: string): string[] {
  return argv.map((token) =>
    token.startsWith('--output_name=')
      ? `--output_name=${name}`
      : token.replace(/=\/.*\/outputs\/pattern(\/|$)/, `=${folder}$1`),
  );
}

function linkProducts(model: string, folder: string, name: string, whole: boolean): void {
  const link = (from: string, to: string) => linkSync(join(model, from), join(folder, to));
  for (const entry of readdirSync(model, { withFileTypes: true })) {
    const renamed = entry.name.replace(/^pattern/, name);
    const final = entry.name === `${MODEL}.safetensors` || entry.name === `${MODEL}-state`;
    if (final && !whole) continue;
    if (entry.name.endsWith('.safetensors')) link(entry.name, renamed);
    if (!entry.isDirectory() || !(entry.name.endsWith('-state') || entry.name === 'sample')) continue;
    mkdirSync(join(folder, renamed));
    for (const file of readdirSync(join(model, entry.name))) {
      link(join(entry.name, file), join(renamed, file.replace(/^pattern/, name)));
    }
  }
}

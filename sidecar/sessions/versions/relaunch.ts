import { join } from 'node:path';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { readDataset } from '../../datasets/read.js';
import { log } from '../../log.js';
import { refuseUnknown } from '../../nearestName.js';
import { Problem } from '../../problem.js';
import { checkArguments } from '../../trainers/arguments.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import type { Beginning } from '../attempt/begin.js';
import { startOrQueue } from '../attempt/startOrQueue.js';
import { makeVersionFolder } from '../names.js';
import { preflight, refuseErrors } from '../preflight/preflight.js';
import { PASSING } from '../queue/enqueue.js';
import { parseUiState } from '../record/parseUiState.js';
import { updateStateFile } from '../record/stateFile.js';
import { type RawState, SETTING_NAMES } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import { isStart, mayQueue } from './asked.js';
import { SCHEMA_VERSION } from './create.js';

/** What a new version has of the one that it repeats. */
const COPIED = [...SETTING_NAMES, 'trainer', 'arguments', 'dataset'];
/** What may be pointed anew: `arguments` are the model files, by their flags. */
const ASKED = ['start', 'queue', 'gpus', 'dataset', 'trainer', 'arguments', 'description', 'version_name', 'page'];

/**
 * Makes the next version of a LoRA with exactly the settings of a session, and starts it on request, or queues it where its
 * GPU is in use (`queue`). A dataset, a trainer
 * or model files that have moved since are named anew in `fields`. Throws a Problem that names what is missing before
 * anything is made.
 */
export async function relaunchSession(
  trackside: Beginning,
  name: string,
  fields: Record<string, unknown>,
): Promise<Session> {
  const { outputs } = trackside;
  refuseUnknown(fields, ASKED);
  const session = await outputs.read(name);
  const raw = await newRecord(trackside, session, fields);
  const start = isStart(fields);
  const queue = mayQueue(fields);
  if (start) await refuseUnready(trackside, session, raw, queue);
  outputs.requireRoot();
  const made = await makeVersionFolder(outputs.root, session.facts.lora_name);
  await updateStateFile(join(outputs.root, made.name), (empty) => {
    Object.assign(empty, raw, { version: made.version });
  });
  log.info('sessions', 'Made again as a new version.', { session: made.name, of: name });
  if (!start) return outputs.read(made.name);
  return startOrQueue(trackside, made.name, { kind: 'start', gpus: textOf(fields.gpus) || null }, queue);
}

/** The record of the new version, with what was pointed anew. */
async function newRecord(trackside: Beginning, session: Session, fields: Record<string, unknown>): Promise<RawState> {
  const { file, name, facts } = session;
  const about = { about: { session: name } };
  if (file.kind !== 'whole') throw new Problem('no_settings', 'Its settings are unknown.', about);
  if (session.trainer === TRACKED) {
    const message = 'This training is a script of your own: Start over runs it as it was started.';
    throw new Problem('own_script', message, about);
  }
  const raw: RawState = {};
  for (const key of COPIED) if (Object.hasOwn(file.raw, key)) raw[key] = structuredClone(file.raw[key]);
  raw.lora_name ??= facts.lora_name;
  raw.trainer = textOf(fields.trainer) || session.trainer;
  if (textOf(fields.dataset)) raw.dataset = await datasetOf(trackside, textOf(fields.dataset), raw);
  raw.arguments = { ...file.state.arguments, ...(await filesOf(trackside, raw, fields.arguments)) };
  return {
    ...raw,
    resume_from_checkpoint: '',
    status: 'draft',
    schema_version: SCHEMA_VERSION,
    description: textOf(fields.description) || facts.description,
    notes: '',
    ...(textOf(fields.version_name) ? { version_name: textOf(fields.version_name).slice(0, 60) } : {}),
    made_from: name,
    created_at: new Date().toISOString(),
    attempts: [],
    outputs: { final_checkpoint: null },
  };
}

async function datasetOf({ settings }: Beginning, dataset: string, { num_repeats }: RawState) {
  const detail = await readDataset(settings.datasets, dataset);
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail), repeats: num_repeats };
}

/** Model files alone, and inside the folders that a path may lead into: all other flags stay exactly as they are. */
async function filesOf({ settings, describe }: Beginning, raw: RawState, given: unknown) {
  const asked = Object.entries((given ?? {}) as Record<string, unknown>).filter(([, value]) => value !== '');
  if (asked.length === 0) return {};
  const trainer = findTrainer(settings, textOf(raw.trainer) || null);
  const flags = new Set((trainer.models ?? []).map(({ flag }) => flag));
  const other = asked.find(([flag]) => !flags.has(flag));
  if (other) {
    const message = `--${other[0]} is not a model file. A relaunch keeps all other settings: duplicate the session to change them.`;
    throw new Problem('bad_arguments', message, { field: `arguments.${other[0]}` });
  }
  const known = trainer.furtherArguments(await describe(trainer));
  return checkArguments(known, Object.fromEntries(asked), pathRoots(settings, trainer));
}

/** Throws all errors that a start would meet, before a folder is made. */
async function refuseUnready(trackside: Beginning, session: Session, raw: RawState, queue: boolean): Promise<void> {
  const { state } = parseUiState(JSON.stringify(raw));
  const asked = { ...session, state, trainer: state.trainer ?? null };
  const { errors } = await preflight(trackside, asked);
  refuseErrors(
    session.name,
    errors.filter(({ code }) => !queue || !PASSING.includes(code)),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

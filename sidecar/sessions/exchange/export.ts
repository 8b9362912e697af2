import { basename, dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { readText } from '../../files/regularFile.js';
import type { Settings } from '../../settings.js';
import type { SessionFacts } from '../facts.js';
import { versionName } from '../names.js';
import { modelOf } from '../outputs/history.js';
import { checkpointsOf } from '../products/products.js';
import { type Provenance, readProvenance } from '../provenance/provenance.js';
import { secondsTrained } from '../status/secondsTrained.js';
import type { Session } from '../status/session.js';
import { type Metadata, metadata, textOf } from './document.js';
import { type Place, portable } from './portable.js';

/** Beside `ui_state.json` of an imported session: the file that it came from, as far as it was taken. */
export const IMPORTED_FILE = 'imported.json';
/** Bytes. */
export const LARGEST_DOCUMENT = 16 * 1024 * 1024;

/**
 * A session as one file. The same session gives the same bytes; one that was imported and never started here gives those
 * that it came from, with what a person wrote since.
 */
export async function exportSession(settings: Settings, session: Session): Promise<string> {
  const { facts, folder } = session;
  const kept = facts.imported && facts.attempts.length === 0 ? await readImported(folder) : null;
  if (!kept) return textOf(await documentOf(settings, session));
  const { description, notes, tags } = facts;
  return textOf({ ...kept, training_session: { ...kept.training_session, description, notes, tags } });
}

/** Null without a readable one. */
export async function readImported(folder: string): Promise<Metadata | null> {
  const path = join(folder, IMPORTED_FILE);
  const text = await readText(path, LARGEST_DOCUMENT, 'refused').catch(ifUnreadable('', 'sessions'));
  return metadata.safeParse(jsonOrNull(text)).data ?? null;
}

async function documentOf(settings: Settings, session: Session): Promise<Metadata> {
  const { facts, folder, state } = session;
  const record = await readProvenance(folder);
  const places = placesOf(settings, session, record);
  const { arguments: further, ...plain } = facts.settings;
  const checkpoints = (await checkpointsOf(session)).map(({ path }) => path).sort();
  const document: Metadata = {
    training_session: {
      id: facts.name,
      name: versionName(facts),
      lora_name: facts.lora_name,
      version: facts.version,
      description: facts.description,
      notes: facts.notes,
      tags: facts.tags,
      trigger_word: String(plain.concept_sentence ?? ''),
      created_at: facts.created_at,
    },
    dataset_config: datasetConfig(facts, record),
    text_analysis: record?.dataset?.text ?? UNKNOWN_TEXT,
    model_config: modelConfig(facts, record),
    execution_status: executionStatus(facts),
    output_paths: {
      folder: facts.name,
      final_checkpoint: facts.final_checkpoint && basename(facts.final_checkpoint),
      checkpoints,
    },
    trackside: {
      schema_version: 1,
      version: settings.version,
      status: facts.status,
      settings: plain as Metadata['trackside']['settings'],
      arguments: (further ?? {}) as Metadata['trackside']['arguments'],
      attempts: facts.attempts.map(({ number, kind, started_at, ended_at, exit_code, signal, reason, ...each }) => ({
        ...{ number, kind, started_at, ended_at, exit_code, signal, reason },
        first_epoch: each.first_epoch,
        step_offset: each.step_offset,
        command: each.argv,
      })),
      provenance: record,
    },
  };
  // In the order and the shape in which it is taken again.
  return metadata.parse(portable(document, state ? places : []));
}

const UNKNOWN_TEXT = { captions: null, without: null, characters: null, tokens: null, tags: {} };

function datasetConfig(facts: SessionFacts, record: Provenance | null): Metadata['dataset_config'] {
  const { dataset_path, images, captions, settings } = facts;
  const of = record?.dataset;
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return {
    name: dataset_path && basename(dataset_path),
    images,
    captions,
    repeats: of?.repeats ?? number(settings.num_repeats),
    resolution: number(settings.resolution),
    fingerprint: of?.fingerprint ?? null,
    bytes: of?.pictures.bytes ?? null,
    sizes: of?.pictures.sizes ?? {},
    width: of?.pictures.width ?? null,
    height: of?.pictures.height ?? null,
    files: of?.files.map(({ file, bytes, width, height, sha256 }) => ({ file, bytes, width, height, sha256 })) ?? [],
  };
}

function modelConfig(facts: SessionFacts, record: Provenance | null): Metadata['model_config'] {
  const { settings, trainer } = facts;
  const { arguments: parameters } = settings;
  return {
    trainer,
    base_model: modelOf(facts),
    network_dim: typeof settings.network_dim === 'number' ? settings.network_dim : null,
    learning_rate: settings.learning_rate === undefined ? null : String(settings.learning_rate),
    seed: typeof settings.seed === 'number' ? settings.seed : null,
    parameters: (parameters ?? {}) as Metadata['model_config']['parameters'],
    files: (record?.models ?? []).map(({ flag, path, bytes, sha256 }) => ({
      flag,
      name: basename(path),
      bytes,
      sha256,
    })),
  };
}

function executionStatus(facts: SessionFacts): Metadata['execution_status'] {
  const { status, attempts, completed_at, reason, results } = facts;
  return {
    status: statusWord(status),
    started_at: attempts[0]?.started_at ?? null,
    completed_at: completed_at ?? attempts.at(-1)?.ended_at ?? null,
    error_message: status === 'failed' || status === 'stopped' ? reason : null,
    steps: results?.steps ?? null,
    duration_seconds: secondsTrained(facts, new Date(0)),
    final_loss: results?.final_loss ?? null,
    best_loss: results?.best_loss ?? null,
    best_step: results?.best_step ?? null,
  };
}

/** In the words of that file. A training that was stopped did not complete. */
function statusWord(status: SessionFacts['status']): Metadata['execution_status']['status'] {
  if (status === 'draft' || status === 'pending') return 'pending';
  if (status === 'stopped') return 'failed';
  return status === 'completed' || status === 'failed' ? status : 'running';
}

/** Where things are on this pod, for a command that is told elsewhere. */
export function placesOf(
  settings: Settings,
  { folder, facts }: Session,
  record: Pick<Provenance, 'trainer'> | null,
): Place[] {
  const places = [
    { path: folder, name: '$SESSION' },
    ...(facts.dataset_path ? [{ path: facts.dataset_path, name: '$DATASET' }] : []),
    { path: settings.outputs, name: '$OUTPUTS' },
    { path: settings.datasets, name: '$DATASETS' },
    { path: settings.models, name: '$MODELS' },
    ...(record?.trainer.script
      ? [{ path: record.trainer.folder ?? dirname(record.trainer.script), name: '$TRAINER' }]
      : []),
  ];
  return places.sort((a, b) => b.path.length - a.path.length);
}

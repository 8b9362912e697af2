import { join } from 'node:path';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { listDatasets } from '../../datasets/list.js';
import { readDataset } from '../../datasets/read.js';
import { isObject } from '../../files/exactJson.js';
import { writeWhole } from '../../files/wholeFile.js';
import { log } from '../../log.js';
import { findModels } from '../../models/findModels.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { slug } from '../../slug.js';
import { type ArgumentValue, wouldBeFlag } from '../../trainers/arguments.js';
import { whyNoFlag } from '../../trainers/flagPolicy.js';
import { freeName, loraKey, makeVersionFolder, versionName, visible } from '../names.js';
import type { Outputs } from '../outputs/outputs.js';
import { writeProvenance } from '../provenance/provenance.js';
import { parseUiState } from '../record/parseUiState.js';
import { updateStateFile } from '../record/stateFile.js';
import { type RawState, SETTING_NAMES } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import { type Metadata, metadata, textOf } from './document.js';
import { IMPORTED_FILE } from './export.js';
import { ELSEWHERE, isPath, portable, portableDocument } from './portable.js';

/** The session, and what of the file has no place here, with the reason. */
export type Imported = { session: Session; left_out: string[] };

/**
 * Makes a session of a `training_metadata` file: its settings, its words, and how it ended. Nothing is started. The file is
 * of somebody else: no path, no flag that Trackside sets itself, and nothing that it does not name is taken. A model file is
 * looked for here by its name, the dataset by its name, too. Throws a Problem before anything is made.
 */
export async function importSession(
  deps: { settings: Settings; outputs: Outputs },
  document: Record<string, unknown>,
): Promise<Imported> {
  const { settings, outputs } = deps;
  const left: string[] = [];
  const taken = await readMetadata(document, left);
  const { training_session: of, execution_status: end } = taken;
  const record = await recordOf(settings, taken, left);
  outputs.requireRoot();
  const made = await makeVersionFolder(outputs.root, of.lora_name);
  await writeWhole(join(outputs.root, made.name, IMPORTED_FILE), textOf(taken));
  const called = (await outputs.list())
    .filter((each) => loraKey(each) === slug(of.lora_name))
    .map((each) => versionName(each).toLowerCase());
  // What its files were made from: what differs here is told by it.
  const { provenance } = taken.trackside;
  if (provenance) await writeProvenance(join(outputs.root, made.name), provenance);
  await updateStateFile(join(outputs.root, made.name), (raw) => {
    Object.assign(raw, record, { version: made.version });
    if (of.name !== `V${made.version}`) raw.version_name = freeName(of.name, called);
    raw.results = { steps: end.steps, final_loss: end.final_loss, best_loss: end.best_loss, best_step: end.best_step };
  });
  log.info('sessions', 'Imported.', { session: made.name });
  return { session: await outputs.read(made.name), left_out: left };
}

/** Our own file, else what is known of another tool's. */
async function readMetadata(document: Record<string, unknown>, left: string[]): Promise<Metadata> {
  refuseCrowds(document);
  const own = metadata.safeParse(await portableDocument(document));
  const told = own.data ?? foreign(document, left);
  if (!told || !slug(told.training_session.lora_name)) {
    const issue = own.error?.issues[0];
    const why = issue ? ` (${issue.path.join('.')})` : '';
    const message = `This is not a training_metadata file that Trackside can read${why}. Nothing was imported.`;
    throw new Problem('bad_document', message, { field: 'file' });
  }
  const { training_session: of } = told;
  const lora_name = visible(of.lora_name.replace(`${ELSEWHERE}/`, ''));
  return { ...told, training_session: { ...of, lora_name, name: visible(of.name) } };
}

const SECTIONS = ['training_session', 'dataset_config', 'text_analysis', 'model_config', 'execution_status'];

/** Names that a section has; the largest of ours has some forty. */
const MOST_NAMES = 2000;

function refuseCrowds(document: Record<string, unknown>): void {
  for (const [name, section] of [['The file', document], ...Object.entries(document)]) {
    if (!isObject(section) || Object.keys(section).length <= MOST_NAMES) continue;
    const message = `${String(name).slice(0, 60)} holds more than ${MOST_NAMES} names, which no training has. Nothing was imported.`;
    throw new Problem('bad_document', message, { field: 'file' });
  }
}

/** A file of another tool, with the same sections: the values whose names we know. */
function foreign(document: Record<string, unknown>, left: string[]): Metadata | null {
  const section = (name: string) => (isObject(document[name]) ? document[name] : {});
  const [session, dataset, model, end] = ['training_session', 'dataset_config', 'model_config', 'execution_status'].map(
    section,
  ) as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  if (SECTIONS.every((name) => Object.keys(section(name)).length === 0)) return null;
  const all = { ...session, ...dataset, ...model };
  const known = SETTING_NAMES.filter((name) => typeof all[name] !== 'object' && all[name] !== undefined);
  const used = new Set<string>([...known, 'name', 'id', 'lora_name', 'description', 'notes', 'status']);
  left.push(
    ...Object.keys(all)
      .filter((key) => !used.has(key))
      .slice(0, 100)
      .map((key) => `${key.slice(0, 60)}: not known here`),
  );
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 2000) : null);
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  const name = text(session.lora_name) ?? text(session.name) ?? text(session.id) ?? 'imported';
  const status = ['pending', 'running', 'completed', 'failed'].includes(String(end.status))
    ? String(end.status)
    : 'pending';
  return (
    metadata.safeParse(
      portable({
        training_session: {
          ...{ id: text(session.id) ?? name, name: 'V1', lora_name: name, version: 1, tags: [] },
          ...{ description: text(session.description) ?? '', notes: text(session.notes) ?? '' },
          ...{ trigger_word: text(all.concept_sentence) ?? '', created_at: text(session.created_at) ?? '' },
        },
        dataset_config: {
          name: text(dataset.name),
          images: number(dataset.images),
          repeats: number(dataset.num_repeats),
        },
        text_analysis: {},
        model_config: { trainer: text(model.trainer), base_model: text(model.base_model), parameters: {} },
        execution_status: {
          ...{ status, started_at: text(end.started_at), completed_at: text(end.completed_at) },
          error_message: text(end.error_message),
        },
        output_paths: { folder: slug(name) },
        trackside: {
          ...{ schema_version: 1, version: '', status, arguments: {}, attempts: [] },
          settings: Object.fromEntries(known.map((key) => [key, all[key]])),
        },
      }),
    ).data ?? null
  );
}

async function recordOf(settings: Settings, taken: Metadata, left: string[]): Promise<RawState> {
  const { training_session: of, execution_status: end, model_config: told, trackside, dataset_config } = taken;
  const raw: RawState = {};
  for (const name of SETTING_NAMES) {
    const value = trackside.settings[name];
    if (value === undefined || name === 'lora_name' || name === 'resume_from_checkpoint') continue;
    if (typeof value === 'string' && (isPath(value) || value.startsWith('$'))) left.push(`${name}: a path`);
    else raw[name] = value;
  }
  const trainer = /^[\w.-]+(?:\/[\w.-]+)?$/.test(told.trainer ?? '') ? told.trainer : null;
  const dataset = await datasetHere(settings, dataset_config, left);
  const record = {
    lora_name: of.lora_name,
    ...raw,
    ...(trainer ? { trainer } : {}),
    arguments: await argumentsHere(settings, taken, left),
    ...(dataset ? { dataset } : {}),
    status: { pending: 'draft', running: 'stopped', completed: 'completed', failed: 'failed' }[end.status],
    ...(end.error_message ? { error: end.error_message } : {}),
    ...(end.completed_at && end.status === 'completed' ? { completed_at: end.completed_at } : {}),
    ...(Number.isNaN(Date.parse(end.started_at ?? '')) ? {} : { timestamp: Date.parse(end.started_at ?? '') / 1000 }),
    description: of.description,
    notes: of.notes,
    ...(of.tags.length > 0 ? { tags: of.tags } : {}),
    resume_from_checkpoint: '',
    schema_version: 1,
    created_at: new Date().toISOString(),
    attempts: [],
    imported: { format: 'training_metadata', id: of.id, at: new Date().toISOString() },
  };
  // Throws nothing that is not ours to say: values of another type read as absent.
  parseUiState(JSON.stringify(record));
  return record;
}

/** Further flags, each with a plain value; model files are those of the same name here. */
async function argumentsHere(
  settings: Settings,
  taken: Metadata,
  left: string[],
): Promise<Record<string, ArgumentValue>> {
  const models = await findModels(settings);
  const found: Record<string, ArgumentValue> = {};
  for (const [flag, value] of Object.entries(taken.trackside.arguments)) {
    const values = [value].flat().map((each) => String(each ?? ''));
    const named =
      values.length === 1 ? /^\$(?:MODELS|ELSEWHERE)\/(?:.*\/)?([^/]+)$/.exec(values[0] ?? '')?.[1] : undefined;
    const here = named && models.find(({ path }) => path.endsWith(`/${named}`))?.path;
    if (whyNoFlag(flag) !== null) left.push(`--${flag.slice(0, 60)}: set by Trackside, or a secret`);
    else if (here) found[flag] = here;
    else if (named) left.push(`--${flag}: there is no model ${named} here`);
    else if (values.some((each) => isPath(each) || each.startsWith('$') || each.startsWith(ELSEWHERE)))
      left.push(`--${flag}: a path`);
    else if (values.some(wouldBeFlag)) left.push(`--${flag}: would be read as another flag`);
    else if (value !== null) found[flag] = value;
  }
  return found;
}

/** The dataset of that name here, whatever is in it: what differs is said before a start. */
async function datasetHere(settings: Settings, of: Metadata['dataset_config'], left: string[]) {
  if (of.name === null) return null;
  const here = (await listDatasets(settings.datasets)).find(({ name }) => name === of.name);
  if (!here) {
    left.push(`dataset: there is no ${of.name} here; upload it, or choose another one`);
    return null;
  }
  const detail = await readDataset(settings.datasets, here.name);
  const { path, images, captions } = detail;
  return { path, images, captions, repeats: of.repeats, fingerprint: fingerprintDataset(detail) };
}

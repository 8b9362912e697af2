import { randomBytes } from 'node:crypto';
import { badField, Problem } from '../../../problem.js';
import { slug } from '../../../slug.js';
import type { Beginning } from '../../attempt/begin.js';
import { enqueue } from '../../queue/enqueue.js';
import { readNewSession, valuesOf } from '../asked.js';
import { createSession } from '../create.js';
import { changeSession } from '../edit.js';
import { combinations, MOST_VERSIONS, nameOfValues, type Sweep, writeSweep } from './sweep.js';

export type AskedSweep = {
  /** The session whose settings, pictures and LoRA all versions have. */
  session: string;
  fields: Sweep['fields'];
};

/**
 * Makes a version for each combination of values, named by what differs, and puts them into the queue, one behind the other.
 * All are checked before the first is made. Throws a Problem for a value that a training would refuse; one that the queue
 * refuses stays as a draft, and the sweep says why.
 */
export async function startSweep(trackside: Beginning, asked: AskedSweep): Promise<Sweep> {
  const fields = checkedFields(asked.fields);
  const { facts } = await trackside.outputs.read(asked.session);
  const base = { ...valuesOf(facts), description: '' };
  const all = combinations(fields).map((values) => ({ values, request: withValues(base, fields, values) }));
  if (all.length > MOST_VERSIONS) {
    throw badField('values', `These values make ${all.length} versions, and a sweep has at most ${MOST_VERSIONS}.`);
  }
  for (const { request, values } of all) await checkOne(trackside, request, nameOfValues(fields, values));
  const sweep: Sweep = {
    id: `${slug(facts.lora_name).slice(0, 40)}-${randomBytes(4).toString('hex')}`,
    lora_name: facts.lora_name,
    created_at: new Date().toISOString(),
    fields,
    versions: [],
    votes: [],
  };
  for (const { values, request } of all) {
    const name = nameOfValues(fields, values);
    const { session } = await createSession(trackside, { ...request, description: `Sweep ${sweep.id}: ${name}.` });
    sweep.versions.push({ session: session.name, values, refused: null });
    // Whatever happens after this, the sweep knows its versions.
    await writeSweep(trackside.settings, sweep);
    await nameIt(trackside, session.name, name);
  }
  for (const version of sweep.versions) version.refused = await queueIt(trackside, version.session);
  await writeSweep(trackside.settings, sweep);
  return sweep;
}

function checkedFields(fields: Sweep['fields']): Sweep['fields'] {
  const used = fields
    .map(({ name, values }) => ({
      name: name.trim(),
      values: [...new Set(values.map((value) => value.trim()).filter(Boolean))],
    }))
    .filter(({ name, values }) => name !== '' && values.length > 0);
  const [first, second] = used;
  if (!first) throw badField('values', 'Choose a field, and give its values with spaces or commas between.');
  if (second && second.name === first.name) throw badField('values', 'Choose two different fields.');
  const bad = used.find(({ name }) => ['lora_name', 'dataset', 'trainer', 'start', 'form_id'].includes(name));
  if (bad) throw badField('values', `${bad.name} is the same for all versions of a sweep.`);
  return used.slice(0, 2);
}

function withValues(base: Record<string, unknown>, fields: Sweep['fields'], values: readonly string[]) {
  const request = { ...base, arguments: { ...(base.arguments as Record<string, unknown>) } };
  fields.forEach(({ name }, at) => {
    const flag = /^arguments\.(.+)$/.exec(name)?.[1];
    if (flag !== undefined) request.arguments[flag] = values[at];
    else (request as Record<string, unknown>)[name] = values[at];
  });
  return request;
}

async function checkOne(trackside: Beginning, request: Record<string, unknown>, name: string): Promise<void> {
  try {
    await readNewSession(trackside, request, true);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, `${name}: ${error.ahead}`, { kept: 'Nothing was made.', field: 'values' });
  }
}

/** A version of an earlier sweep may be called so already: then it has its number alone. */
async function nameIt(trackside: Beginning, session: string, name: string): Promise<void> {
  try {
    await changeSession(trackside, session, { version_name: name });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'name_taken') throw error;
  }
}

/** Why the queue refuses it; null when it stands in it. */
async function queueIt(trackside: Beginning, session: string): Promise<string | null> {
  try {
    await enqueue(trackside, session, { kind: 'start' });
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message;
  }
}

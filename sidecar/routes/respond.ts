import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { isObject, scanJson } from '../files/exactJson.js';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { type ProblemCode, problemStatus } from '../problemStatus.js';
import { rootOf, wantsPage } from '../request.js';
import { refuseSecrets } from '../security/refuseSecrets.js';

/** The same facts as a page or as JSON, whichever was asked for. `page` is only made when it is wanted. */
export async function answer(c: Context, facts: unknown, page: () => string | Promise<string>): Promise<Response> {
  c.header('Vary', 'Accept');
  return wantsPage(c) ? c.html(await page()) : c.json(facts);
}

/** Answers a change: a form goes on to `page`, a program gets the facts. */
export function answerChange(
  c: Context,
  facts: unknown,
  more: { page: string; status?: ContentfulStatusCode; headers?: Record<string, string> },
): Response {
  return wantsPage(c) ? c.redirect(more.page, 303) : c.json(facts, more.status ?? 200, more.headers);
}

/** The header of a download under this name, in whatever script it is written (RFC 6266). */
export function attachment(name: string): { 'Content-Disposition': string } {
  return { 'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}` };
}

/**
 * A wrong value of a form, to be shown beside its field again: what was typed, the problem by its field, and its status. Throws
 * what is about no field, and everything for a program.
 */
export function wrongInForm(c: Context, error: unknown, fields: Record<string, unknown>) {
  if (!(error instanceof Problem) || !error.field || !wantsPage(c)) throw error;
  const values = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  return { values, errors: { [error.field]: error.message }, status: problemStatus[error.code] };
}

/** The address of the home page, from where the request was sent. */
export function homeOf(c: Context): string {
  return rootOf(c) || './';
}

/** The address of a session's page; or of the home page, where the form stood there (`page`). */
export function pageOfSession(c: Context, name: string, { page }: { page?: unknown } = {}): string {
  return page === 'home' ? homeOf(c) : `${rootOf(c)}sessions/${encodeURIComponent(name)}`;
}

/**
 * The fields of a form or the keys of a JSON body. `arguments[network_alpha]` of a form becomes a key of `arguments`.
 * An empty body gives no fields. Throws a Problem, 422, for one that holds a secret, unless it is asked for there: what is
 * typed into a form stands in files afterwards.
 */
export async function readFields(c: Context, { secret = false } = {}): Promise<Record<string, unknown>> {
  const fields = await readAll(c);
  if (!secret) refuseSecrets(fields);
  return fields;
}

/** The fields that a schema names; beside them a form may name its `page`. Throws a Problem that names a wrong one. */
export function parsed<Shape extends z.ZodObject>(
  code: ProblemCode,
  schema: Shape,
  fields: Record<string, unknown>,
): z.infer<Shape> {
  refuseUnknown(fields, [...Object.keys(schema.shape), 'page']);
  const read = schema.safeParse(fields);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const field = String(issue?.path[0]);
  throw new Problem(code, `${field}: ${issue?.message}`, { field });
}

async function readAll(c: Context): Promise<Record<string, unknown>> {
  const type = c.req.header('content-type') ?? '';
  if (type.includes('application/json')) {
    const text = await c.req.text();
    if (text.trim() === '') return {};
    return readJson(text);
  }
  if (!type.includes('form')) return {};
  const fields: Record<string, unknown> = {};
  const nested: Record<string, unknown> = {};
  for (const [name, value] of await formEntries(c, type)) {
    if (typeof value !== 'string' || name.endsWith('[]')) continue;
    const inner = /^arguments\[([^\]]+)\]$/.exec(name)?.[1];
    if (inner) nested[inner] = value;
    else fields[name] = value;
  }
  return Object.keys(nested).length > 0 ? { ...fields, arguments: nested } : fields;
}

/** Of forms and JSON bodies: a trainer has some two hundred flags. */
const MOST_VALUES = 2000;
const DEEPEST = 32;

/** Reads a form, once it is known to have a sane number of fields: each of them costs time. */
async function formEntries(c: Context, type: string): Promise<FormData> {
  const body = Buffer.from(await c.req.arrayBuffer());
  const mark = type.includes('multipart') ? 'Content-Disposition' : '&';
  let fields = 1;
  for (let at = body.indexOf(mark); at >= 0 && fields <= MOST_VALUES; at = body.indexOf(mark, at + 1)) fields += 1;
  refuseMany(fields);
  return wellFormed(c, new Response(body, { headers: { 'Content-Type': type } }).formData());
}

function refuseMany(values: number): void {
  if (values <= MOST_VALUES) return;
  throw new Problem('too_many_fields', `The body holds more than ${MOST_VALUES.toLocaleString('en')} values.`);
}

/** What is read of a form. Throws a Problem, 400, where it is none. */
export async function wellFormed<T>(c: Context, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (c.req.raw.signal.aborted) throw error;
    throw new Problem('bad_form', 'The body is not the kind of form that its header says.');
  }
}

function readJson(text: string): Record<string, unknown> {
  const { number, depth, values } = scanJson(text);
  if (number) throw new Problem('large_number', `${number} and would be rounded. Send it as text.`);
  if (depth > DEEPEST) throw new Problem('bad_json', `The body is nested more than ${DEEPEST} levels deep.`);
  refuseMany(values);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new Problem('bad_json', `The body is not valid JSON: ${(error as Error).message}.`);
  }
  if (!isObject(body)) throw new Problem('bad_json', 'The body must be a JSON object.');
  return body;
}

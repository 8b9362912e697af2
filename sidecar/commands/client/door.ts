import { existsSync } from 'node:fs';
import { jsonOrNull } from '../../files/exactJson.js';
import { setLogLevel } from '../../log.js';
import type { Settings } from '../../settings.js';
import { findServing } from '../serving.js';
import { EXIT, exitOf, Refusal } from './exitCodes.js';

/**
 * The way to the sessions: over HTTP to a sidecar, or the same app in this very process, on the state files alone. Both give
 * the same answers, because both are the same routes.
 */
export type Door = {
  /** Does a sidecar answer, which goes on when this command has ended? */
  serving: boolean;
  /** Where the answers come from, for people. */
  place: string;
  /** Asks as a program; a body that is a text is JSON already. The path has no slash at its beginning. Throws a Refusal where nothing answers. */
  send(method: string, path: string, more?: { body?: unknown; headers?: Record<string, string> }): Promise<Response>;
  /** Ends what was opened here. Trainings go on. */
  close(): Promise<void>;
};

export type DoorFlags = { url?: string; token?: string; files?: boolean };

/**
 * Opens the door: `--url` if given; else the sidecar that serves these outputs, if one does; else the files. `--files` asks
 * no sidecar.
 */
export async function openDoor(settings: Settings, flags: DoorFlags): Promise<Door> {
  const token = flags.token ?? settings.token;
  if (flags.url) return remoteDoor(flags.url, token);
  const serving = flags.files ? null : findServing(settings);
  if (serving) {
    const door = remoteDoor(serving, token);
    // It may hang, or have a token that is not known here: the files tell the same.
    const known = await door.send('GET', 'disk').catch((error: unknown) => {
      if (error instanceof Refusal) return null;
      throw error;
    });
    if (known?.ok) return door;
  }
  return filesDoor(settings);
}

/** What a verb waits for: a start reads all pictures and imports the trainer's Python packages. */
const PATIENCE_MS = 180_000;

/** @param url as `trackside serve` prints it, perhaps with the token in it */
function remoteDoor(url: string, token: string): Door {
  const { base, shown } = addressOf(url);
  const bearer = token || shown;
  return {
    serving: true,
    place: base,
    async send(method, path, { body, headers = {} } = {}) {
      const asked = requestOf(method, body, { ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}), ...headers });
      const how = { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) } as const;
      return fetch(new URL(path, base), { ...asked, ...how }).catch((error: Error) => {
        const why = error.cause instanceof Error ? error.cause.message : error.message;
        throw new Refusal(EXIT.unreachable, `No Trackside answers at ${base} (${why}).`);
      });
    },
    async close() {},
  };
}

function addressOf(url: string): { base: string; shown: string } {
  const parsed = URL.parse(url.includes('://') ? url : `http://${url}`);
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new Refusal(EXIT.usage, `--url is “${url}”, but it must be an address such as http://127.0.0.1:7860.`);
  const shown = parsed.searchParams.get('token') ?? '';
  parsed.search = '';
  parsed.hash = '';
  if (!parsed.pathname.endsWith('/')) parsed.pathname += '/';
  return { base: parsed.href, shown };
}

/** The app in this process. What no sidecar is needed for: a training belongs to its runner. */
async function filesDoor(settings: Settings): Promise<Door> {
  if (!existsSync(settings.outputs)) {
    const message = `There is no folder ${settings.outputs}. Name the outputs with --outputs or TRACKSIDE_OUTPUTS, or a sidecar with --url.`;
    throw new Refusal(EXIT.missing, message);
  }
  if (!process.env.TRACKSIDE_LOG) setLogLevel('error');
  const [{ createApp }, { createTrackside }] = await Promise.all([
    import('../../app.js'),
    import('../../trackside.js'),
  ]);
  // Nobody reaches it from outside this process, so it asks for no token, and makes none.
  const trackside = createTrackside({ ...settings, login: false, token: '', host: '127.0.0.1' });
  const app = createApp(trackside);
  await trackside.outputs.open();
  return {
    serving: false,
    place: settings.outputs,
    send: async (method, path, { body, headers = {} } = {}) =>
      app.request(`/${path}`, requestOf(method, body, { Host: 'localhost', ...headers })),
    close: () => trackside.outputs.close(),
  };
}

function requestOf(method: string, body: unknown, further: Record<string, string>) {
  const headers = { Accept: 'application/json', ...further };
  if (body === undefined) return { method, headers };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method, headers: { 'Content-Type': 'application/json', ...headers }, body: text };
}

/** The facts of an answer. Throws a Refusal with the answer's own words for one that is none. */
export async function factsOf<T>(door: Door, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await door.send(method, path, { body });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text) as T;
  throw refusalOf(answer.status, text);
}

export function refusalOf(status: number, text: string): Refusal {
  // A proxy answers in HTML, which is shown as it is.
  const answer = jsonOrNull(text) as { error?: { message?: string } } | null;
  const message = answer?.error?.message ?? `The answer was ${status} ${text.slice(0, 200)}`;
  return new Refusal(exitOf(status), message, answer ?? undefined);
}

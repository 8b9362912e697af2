import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SessionFacts } from '../sidecar/sessions/facts.js';
import type { StateFacts } from '../sidecar/sessions/savedFacts.js';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url));
export const exampleDataset = join(projectRoot, 'trainer-bridge', 'example');
const main = join(projectRoot, '.build', 'sidecar', 'main.js');

/** What sidecar/trackside.sh sets, through which `npm start` and `.pod/start.sh` go: for who measures memory. */
export const asStarted = { MALLOC_ARENA_MAX: '1', TRACKSIDE_MALLOC_ARENA_MAX: '' };

/** A place of its own for one test: outputs, datasets, and every sidecar and trainer that was started in it. */
export type TestSidecars = {
  outputs: string;
  datasets: string;
  folder: string;
  /** Starts a real sidecar on a free port. */
  serve(environment?: NodeJS.ProcessEnv): Promise<Sidecar>;
  /** Ends everything that was started here, and removes the files. */
  leave(): Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON of any shape, which the test then looks at
export type Answer = { status: number; body: any; location: string | null };

export type Sidecar = {
  url: string;
  pid: number;
  /** The one line that it printed, and what else. */
  printed(): string;
  get<T = unknown>(path: string): Promise<T>;
  session(name: string): Promise<SessionFacts>;
  states(name: string): Promise<StateFacts[]>;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Asks for a session until it is so; fails with its facts after `seconds`. */
  until(name: string, so: (facts: SessionFacts) => boolean, seconds?: number): Promise<SessionFacts>;
  kill(signal?: NodeJS.Signals): Promise<number | null>;
};

export function makeTestSidecars(): TestSidecars {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-test-'));
  const outputs = join(folder, 'outputs');
  const datasets = join(folder, 'datasets');
  const sidecars: Sidecar[] = [];
  let left = false;
  return {
    outputs,
    datasets,
    folder,
    async serve(environment = {}) {
      const sidecar = await startSidecar({
        TRACKSIDE_OUTPUTS: outputs,
        TRACKSIDE_DATASETS: datasets,
        TRACKSIDE_PRIVATE: join(folder, 'private'),
        TRACKSIDE_PORT: '0',
        TRACKSIDE_NO_LOGIN: '1',
        // Most tests hold what a plain trainer loses; test/pause/ and test/sd-scripts/pause.real.ts switch it on.
        TRACKSIDE_EXACT_PAUSE: 'off',
        // cluster/ has one of its own.
        TRACKSIDE_LAUNCHER: 'local',
        ...environment,
      });
      sidecars.push(sidecar);
      // Its test took too long, and has ended meanwhile.
      if (left) {
        await sidecar.kill();
        throw new Error('the test has ended');
      }
      return sidecar;
    },
    async leave() {
      left = true;
      for (const sidecar of sidecars) await sidecar.kill('SIGKILL');
      await endTrainings(outputs);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Small and quick: 10 pictures, one repeat, so ten steps an epoch. */
export const quick = {
  dataset: 'example',
  trainer: 'practice',
  num_repeats: 1,
  max_train_epochs: 4,
  save_every_n_epochs: 1,
  resolution: 64,
  sample_prompts: '',
  sample_every_n_steps: 0,
};

/** Reads until it is so: every 20 ms at first, then after a sixth of the time waited so far, 250 ms at most. */
export async function until<T>(read: () => Promise<T> | T, so: (value: T) => boolean, seconds = 20): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const value = await read();
    if (so(value)) return value;
    const waited = performance.now() - begun;
    if (waited > seconds * 1000) throw new Error(`not so within ${seconds} s: ${JSON.stringify(value, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(20, waited / 6), 250)));
  }
}

export function isAlive(pid: number): boolean {
  return !'ZX'.includes(statOf(pid).state);
}

/**
 * PIDs of the trainers that write into a session, as the kernel tells them. What a trainer has forked is a part of it: a
 * `python3` that is a script (pyenv's) forks several times before it becomes Python.
 */
export function trainersOf(place: TestSidecars, name: string): number[] {
  const mark = `--output_dir=${join(place.outputs, name)}`;
  const found = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && isTrainer(readProcFile(`${entry}/cmdline`).split('\0'), mark))
    .map(Number);
  return found.filter((pid) => isAlive(pid) && !found.includes(statOf(pid).parent));
}

function isTrainer(argv: string[], mark: string): boolean {
  return argv.includes(mark) && !argv.some((token) => token.endsWith('runner.py'));
}

function statOf(pid: number): { state: string; parent: number } {
  const stat = readProcFile(`${pid}/stat`);
  const [state = 'X', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: state || 'X', parent: Number(parent) };
}

function readProcFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}

/** `around` is a command that runs another one, given after it: what a fault test puts a sidecar into. */
export async function startSidecar(environment: NodeJS.ProcessEnv, around: string[] = []): Promise<Sidecar> {
  const [command = '', ...rest] = [...around, process.execPath, main, 'serve'];
  const child = spawn(command, rest, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const url = await until(
    () => /http:\/\/[^/\s]+\//.exec(text)?.[0] ?? (child.exitCode === null ? null : 'ended'),
    (found) => found !== null,
    60,
  );
  if (!url || url === 'ended') throw new Error(`the sidecar did not start: ${text}`);
  return sidecarAt(url, child, () => text);
}

function sidecarAt(url: string, child: ChildProcess, printed: () => string): Sidecar {
  const send: Sidecar['send'] = async (method, path, body) => {
    const answer = await fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: parsed(text), location: answer.headers.get('location') };
  };
  const get = async <T>(path: string) => (await send('GET', path)).body as T;
  return {
    url,
    pid: child.pid ?? 0,
    printed,
    get,
    send,
    session: (name) => get(`sessions/${encodeURIComponent(name)}`),
    states: (name) => get(`sessions/${encodeURIComponent(name)}/states`),
    until: (name, so, seconds) => until(() => get<SessionFacts>(`sessions/${encodeURIComponent(name)}`), so, seconds),
    async kill(signal = 'SIGKILL') {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Ends what still trains in an outputs folder: only processes that carry an attempt's mark of this very folder. */
async function endTrainings(outputs: string): Promise<void> {
  const { readdirSync } = await import('node:fs');
  if (!existsSync(outputs)) return;
  const marks = readdirSync(outputs).flatMap((name) => {
    try {
      return JSON.parse(readFileSync(join(outputs, name, 'attempt.json'), 'utf8')).id as string;
    } catch {
      return [];
    }
  });
  const mine = () =>
    readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => {
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
          return marks.some((mark) => environment.includes(`TRACKSIDE_ATTEMPT=${mark}`));
        } catch {
          return false;
        }
      });
  for (const pid of mine()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await until(
    () => mine().filter(isAlive).length,
    (left) => left === 0,
    10,
  );
}

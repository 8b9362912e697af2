import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const trainer = join(root, 'trainer-bridge', 'practice_train_network.py');
const example = join(root, 'trainer-bridge', 'example');

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A temporary folder that is removed after the tests of the file. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-practice-'));
  folders.push(folder);
  return folder;
}

/** A folder of the first `count` example pictures with captions, and a dataset.toml beside it; answers the latter's path. */
export function exampleDataset(folder: string, count: number, repeats: number): string {
  const pictures = join(folder, 'ds');
  mkdirSync(pictures);
  for (const file of readdirSync(example).slice(0, 2 * count)) copyFileSync(join(example, file), join(pictures, file));
  return datasetConfig(folder, pictures, repeats);
}

export function datasetConfig(folder: string, pictures: string, repeats: number, general = ''): string {
  const path = join(folder, 'dataset.toml');
  const subset = `image_dir = ${JSON.stringify(pictures)}\nnum_repeats = ${repeats}\ncaption_extension = ".txt"\n`;
  writeFileSync(path, `[general]\n${general}\n[[datasets]]\nresolution = 64\n[[datasets.subsets]]\n${subset}`);
  return path;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Conditions {
  env?: Record<string, string>;
  cwd?: string;
  python?: string[];
  /** Called with all of stderr so far whenever more arrives; true kills the trainer with SIGKILL. */
  killWhen?: (stderr: string) => boolean;
}

/** Runs the practice trainer to its end, with a wide console and no waiting unless `env` says otherwise. */
export function practice(args: string[], { env = {}, cwd, python = [], killWhen }: Conditions = {}): Promise<Ended> {
  const child = spawn('python3', [...python, trainer, ...args], {
    cwd,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', COLUMNS: '500', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
    if (killWhen?.(stderr)) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export const trainStateIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'train_state.json'), 'utf8'));

/** The last line of a Python traceback: what went wrong. */
export const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

/** The records of a wide console: message and source of each, in order. */
export function logRecords(stderr: string): { message: string; source: string }[] {
  const record = /(?:INFO|WARNING|ERROR) {1,5}(.*?) *(\w+\.py:\d+)$/gm;
  return [...stderr.matchAll(record)].map(([, message = '', source = '']) => ({ message, source }));
}

/** The refreshes of the main bar. */
export function barLines(stderr: string): { step: number; total: number; loss: string | undefined }[] {
  const bar =
    /^steps:\s+\d+%\|[^|]*\|\s*(\d+)\/(\d+) \[[\d:]+<[\d:?]+,\s*(?:\?|[\d.]+)(?:it\/s|s\/it)(?:,\s*avr_loss=([^,\]\s]+))?\]/;
  return stderr.split(/[\r\n]/).flatMap((segment) => {
    if (!segment.startsWith('steps:')) return [];
    const match = bar.exec(segment);
    if (match === null) throw new Error(`not a bar: ${segment}`);
    return [{ step: Number(match[1]), total: Number(match[2]), loss: match[3] }];
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import type { Stats } from 'node:fs';
import { createInterface } from 'node:readline';
import { bridge } from '../bridge.js';
import { log } from '../log.js';

/** Ends the helper after 20 s without a request. */
const IDLE_MS = 20_000;
const ANSWER_MS = 2000;

type Swapper = { child: ChildProcess; waiting: ((answer: number) => void)[]; idle: NodeJS.Timeout };

let findPython: (() => Promise<string>) | null = null;
let swapper: Swapper | null = null;
let starting = false;
/** Set on file systems that can't swap (network volumes) and on machines without Python: not tried again. */
let impossible = false;

/** Sets the Python that swaps files. */
export function allowSwapping(python: () => Promise<string>): void {
  findPython = python;
}

/**
 * Switches from replacing files to swapping them for a while, as somebody else edits the same files. Node has no call for
 * renameat2(RENAME_EXCHANGE), so a small Python process does it; it starts in the background and ends when idle. Comparing
 * and renaming lost 10 of 10,400 edits beside 4,637 writes of ours on a busy machine; swapping lost none.
 */
export function expectOtherEditors(): void {
  if (swapper || starting || impossible || !findPython) return;
  starting = true;
  void findPython()
    .then(start)
    .catch((error: unknown) => {
      log.debug('files', 'This system can’t swap files in one step, so they are replaced.', { error });
      impossible = true;
    })
    .finally(() => {
      starting = false;
    });
}

/**
 * Exchanges `file` and `path` in one step, if the file at `path` is still the `expected` one. Returns `impossible`, with
 * nothing changed, if that can't be done now.
 */
export async function swapFiles(
  file: string,
  path: string,
  expected: Pick<Stats, 'ino' | 'size' | 'mtimeMs'>,
): Promise<'swapped' | 'changed' | 'impossible'> {
  const present = swapper;
  if (!present?.child.stdin?.writable) return 'impossible';
  present.idle.refresh();
  const answer = await new Promise<number>((resolve) => {
    const late = setTimeout(() => present.child.kill('SIGKILL'), ANSWER_MS);
    present.waiting.push((told) => {
      clearTimeout(late);
      resolve(told);
    });
    const { ino, size, mtimeMs } = expected;
    present.child.stdin?.write(`${JSON.stringify([file, path, ino, size, Math.floor(mtimeMs * 1000)])}\n`);
  });
  if (answer === 0) return 'swapped';
  // EINVAL, ENOSYS, ENOTSUP: the file system can't.
  if ([22, 38, 95].includes(answer)) {
    impossible = true;
    end(present);
    return 'impossible';
  }
  return 'changed';
}

function start(python: string): void {
  const child = spawn(python, ['-I', '-S', bridge.swap], { stdio: ['pipe', 'pipe', 'ignore'] });
  const idle = setTimeout(() => end(present), IDLE_MS);
  const present: Swapper = { child, waiting: [], idle };
  idle.unref();
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
  child.stdin.on('error', () => {});
  const gone = () => {
    clearTimeout(idle);
    if (swapper === present) swapper = null;
    for (const answer of present.waiting.splice(0)) answer(-1);
  };
  child.once('error', () => {
    impossible = true;
    gone();
  });
  child.once('exit', gone);
  createInterface(child.stdout).on('line', (line) => {
    // The helper's first line.
    if (line === 'ready') swapper = present;
    else present.waiting.shift()?.(Number(line));
  });
}

function end(present: Swapper): void {
  if (swapper === present) swapper = null;
  present.child.stdin?.end();
}

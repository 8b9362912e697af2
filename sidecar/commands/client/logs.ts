import { setTimeout as wait } from 'node:timers/promises';
import type { SessionFacts } from '../../sessions/facts.js';
import { type Door, factsOf, refusalOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { addressOf } from './sessions.js';

const LOOK_MS = 500;
/** Bytes that are read for the last lines at first; four times as many where they are too few. */
const FIRST_READ = 256 * 1024;

export type LogFlags = { follow?: boolean; tail?: string; attempt?: string };

/** Prints a session's log: its last lines, or all of it; `follow` goes on until the training has ended. */
export async function printLog(door: Door, name: string, { follow, tail = '100', attempt }: LogFlags): Promise<void> {
  if (tail !== 'all' && !/^\d+$/.test(tail))
    throw new Refusal(EXIT.usage, `--tail is “${tail}”, but it must be a number of lines, or all.`);
  const path = `${addressOf(name)}/log?${attempt === undefined ? 'download' : `attempt=${encodeURIComponent(attempt)}`}`;
  const size = await sizeOf(door, path);
  if (size > 0) {
    if (tail === 'all') await pour(await partOf(door, path, 0, size));
    else process.stdout.write(await lastLines(door, path, size, Number(tail)));
  }
  if (follow) await followFrom(door, name, path, size);
}

/** Prints what is added to the log from this byte on, until nothing trains and all of it is printed. */
async function followFrom(door: Door, name: string, path: string, from: number): Promise<void> {
  for (let at = from; ; await wait(LOOK_MS)) {
    // Asked before the read: what a training wrote last is printed before this ends.
    const { attempts } = await factsOf<SessionFacts>(door, 'GET', addressOf(name));
    const answer = await door.send('GET', path, { headers: { Range: `bytes=${at}-` } });
    if (answer.status === 206) at += await pour(answer);
    else if (!answer.ok && answer.status !== 416 && answer.status !== 404)
      throw refusalOf(answer.status, await answer.text());
    else await answer.body?.cancel();
    if (!attempts.at(-1)?.alive) return;
  }
}

/** The last lines of the first `size` bytes. */
async function lastLines(door: Door, path: string, size: number, lines: number): Promise<string> {
  for (let length = FIRST_READ; ; length *= 4) {
    const from = Math.max(0, size - length);
    const text = await (await partOf(door, path, from, size)).text();
    const all = text.split('\n');
    const begun = text.endsWith('\n') ? 1 : 0;
    if (from === 0 || all.length > lines + begun) return lines === 0 ? '' : all.slice(-lines - begun).join('\n');
  }
}

async function partOf(door: Door, path: string, from: number, to: number): Promise<Response> {
  const answer = await door.send('GET', path, { headers: { Range: `bytes=${from}-${to - 1}` } });
  if (answer.ok) return answer;
  throw refusalOf(answer.status, await answer.text());
}

/** Bytes of the log now; 0 where there is none yet. Throws a Refusal where there is no such session or attempt. */
async function sizeOf(door: Door, path: string): Promise<number> {
  const answer = await door.send('HEAD', path);
  if (answer.ok) return Number(answer.headers.get('content-length') ?? 0);
  const asked = await door.send('GET', path);
  const text = await asked.text();
  if (asked.ok || text.includes('"no_file"')) return 0;
  throw refusalOf(asked.status, text);
}

async function pour(answer: Response): Promise<number> {
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  return bytes;
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonOrNull } from '../../files/exactJson.js';
import { inFile } from '../../files/inFile.js';
import { readLogTail } from '../../telemetry/logTail.js';
import type { PurgeRecord } from './facts.js';

const FILE = '.trackside-purges.ndjson';
const SHOWN = 200;

/** Appends what was removed to the record of removals, synced to the disk. */
export async function recordPurged(root: string, lines: readonly PurgeRecord[]): Promise<void> {
  if (lines.length === 0) return;
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  return inFile(open(join(root, FILE), flags, 0o644), async (file) => {
    await file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await file.sync();
  });
}

/** The last removals, newest first. Passes over lines that a full disk has cut. */
export async function readPurged(root: string): Promise<PurgeRecord[]> {
  const { text } = await readLogTail(join(root, FILE), SHOWN);
  return text.split('\n').flatMap(lineOf).reverse();
}

function lineOf(text: string): PurgeRecord[] {
  const line = jsonOrNull(text) as PurgeRecord | null;
  return line ? [line] : [];
}

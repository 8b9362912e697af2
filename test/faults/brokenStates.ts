import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleDataset, newFolder, practice } from '../trainer-bridge/practiceRun.js';
import { FIXTURES, STATE_FILES } from '../trainers/fixtures.js';

type Content = Map<string, Buffer>;

/** Whole states of both kinds: what sd-scripts wrote with torch, and what the practice trainer writes. */
export async function wholeStates(): Promise<Content[]> {
  const folder = newFolder();
  const config = exampleDataset(folder, 5, 1);
  const output = join(folder, 'output');
  const save = ['--save_every_n_epochs=1', '--save_state', '--max_train_epochs=3'];
  const ended = await practice([`--dataset_config=${config}`, `--output_dir=${output}`, '--output_name=cat', ...save]);
  if (ended.code !== 0) throw new Error(ended.stderr);
  const practised = readdirSync(output).filter((name) => name.endsWith('-state'));
  return [...practised.map((name) => join(output, name)), join(FIXTURES, 'tiny-output/mylora-000001-state')].map(
    (path) => new Map(STATE_FILES.map((name) => [name, readFileSync(join(path, name))])),
  );
}

/** A row of random numbers in [0, 1) that a seed gives again (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const DAMAGES = ['cut', 'zero tail', 'zero pages', 'half deleted', 'saved over', 'saved over and cut'] as const;
export type Damage = (typeof DAMAGES)[number];

/** Writes a state folder that a kill or a lost power supply left behind; its newest file is of `savedAt`. Says what is wrong. */
export function writeBroken(path: string, whole: Content, damage: Damage, savedAt: Date, random: () => number): string {
  const files = new Map(whole);
  const below = (most: number) => Math.floor(random() * most);
  const one = STATE_FILES[below(STATE_FILES.length)] ?? 'train_state.json';
  const bytes = files.get(one) ?? Buffer.alloc(0);
  /** Files of the newer of two saves; the others are an hour older. */
  let newer: number = STATE_FILES.length;
  let told = '';
  switch (damage) {
    case 'cut': {
      const at = below(bytes.length);
      files.set(one, bytes.subarray(0, at));
      for (const later of STATE_FILES.slice(STATE_FILES.indexOf(one) + 1)) files.delete(later);
      told = `${one} cut at ${at} of ${bytes.length}`;
      break;
    }
    case 'zero tail': {
      const at = below(bytes.length);
      const torn = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)]);
      if (torn.equals(bytes)) return writeBroken(path, whole, damage, savedAt, random);
      files.set(one, torn);
      told = `${one} of ${bytes.length} bytes ends in zeros from ${at}`;
      break;
    }
    case 'zero pages': {
      const torn = Buffer.from(bytes);
      const pages = Math.ceil(bytes.length / 4096);
      const first = below(pages);
      const count = 1 + below(Math.min(4, pages - first));
      torn.fill(0, first * 4096, Math.min(bytes.length, (first + count) * 4096));
      if (torn.equals(bytes)) return writeBroken(path, whole, damage, savedAt, random);
      files.set(one, torn);
      told = `${one}: ${count} pages of zeros from page ${first} of ${pages}`;
      break;
    }
    case 'half deleted': {
      const left = below(2 ** STATE_FILES.length - 1);
      for (const [index, name] of STATE_FILES.entries()) if (!(left & (1 << index))) files.delete(name);
      told = `only ${[...files.keys()].join(', ') || 'nothing'} is left`;
      break;
    }
    default: {
      newer = 1 + below(STATE_FILES.length - 1);
      const last = STATE_FILES[newer - 1] ?? 'train_state.json';
      const content = files.get(last) ?? Buffer.alloc(0);
      if (damage === 'saved over and cut') files.set(last, content.subarray(0, below(content.length)));
      told = `the first ${newer} files are of a newer save, ${damage === 'saved over' ? 'whole' : 'the last of them cut'}`;
    }
  }
  write(path, files, savedAt, newer);
  return told;
}

export function writeState(path: string, content: Content, savedAt: Date): void {
  write(path, content, savedAt, STATE_FILES.length);
}

function write(path: string, files: Content, savedAt: Date, newer: number): void {
  if (existsSync(path)) throw new Error(`${path} is there already`);
  mkdirSync(path, { recursive: true });
  for (const [index, name] of STATE_FILES.entries()) {
    const content = files.get(name);
    if (!content) continue;
    writeFileSync(join(path, name), content);
    const time = new Date(savedAt.getTime() - (index < newer ? 0 : 3_600_000) + index);
    utimesSync(join(path, name), time, time);
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} is no folder`);
}

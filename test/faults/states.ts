import { join } from 'node:path';
import { expect } from 'vitest';
import { readCandidates } from '../../sidecar/sessions/lineage/candidates.js';
import { chooseResume } from '../../sidecar/sessions/lineage/resume.js';
import { defaultDialect } from '../../sidecar/trainers/dialects.js';
import { newFolder } from '../trainer-bridge/practiceRun.js';
import { DAMAGES, randomOf, wholeStates, writeBroken, writeState } from './brokenStates.js';

/**
 * Puts a whole state into a folder, and so many newer ones that are broken; then looks for what a resume would use. All
 * of the broken ones have to be passed over for the whole one to be found. Answers how long the finding took, in seconds.
 */
export async function findAmongBroken(count: number, seed: number): Promise<number> {
  const folder = newFolder();
  const random = randomOf(seed);
  const whole = await wholeStates();
  const noon = Date.parse('2026-11-22T12:00:00Z');
  writeState(join(folder, 'cat-000001-state'), whole[0] ?? new Map(), new Date(noon));
  const told = new Map<string, string>();
  for (let number = 2; number < count + 2; number += 1) {
    const name = `cat-${String(number).padStart(6, '0')}-state`;
    const content = whole[Math.floor(random() * whole.length)] ?? new Map();
    const damage = DAMAGES[number % DAMAGES.length] ?? 'cut';
    // Newer than the whole one, also with files that are an hour older.
    told.set(
      name,
      `${damage}: ${writeBroken(join(folder, name), content, damage, new Date(noon + 7_200_000 + number * 1000), random)}`,
    );
  }
  const begun = performance.now();
  const candidates = await readCandidates({
    folder,
    dialect: defaultDialect,
    outputName: 'cat',
    attempts: [],
    stepsPerEpoch: 5,
    writingNow: null,
    thorough: true,
  });
  const chosen = chooseResume(candidates, null, null)?.facts;
  const seconds = (performance.now() - begun) / 1000;
  const slipped = candidates
    .filter(({ complete, name }) => complete && told.has(name))
    .map(({ name }) => told.get(name));
  expect(slipped).toEqual([]);
  expect(candidates).toHaveLength(count + 1);
  expect(chosen?.state).toBe('cat-000001-state');
  expect(chosen?.passed_over).toHaveLength(count);
  return seconds;
}

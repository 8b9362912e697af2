import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAttempt } from '../../../sidecar/launchers/attemptFile.js';
import { scriptOf } from '../../../sidecar/launchers/slurm/submit.js';
import { writeStopRequest } from '../../../sidecar/launchers/stopElsewhere.js';
import { cleanUpAfterEach, newFolder } from '../outputFolder.js';

cleanUpAfterEach();

type Moves = { from: string; to: string }[];

/** Runs a job's script as a node does. */
function runScript(folder: string, id: string, number: number, moves: Moves = []) {
  const attempt = { id, number, kind: 'resume' as const };
  const order = {
    attempt,
    folder,
    cwd: folder,
    argv: ['sh', '-c', 'echo trained'],
    environment: {},
    python: 'python3',
    moves,
  };
  const env = { ...process.env, SLURM_JOB_ID: '42', SLURM_CLUSTER_NAME: 'test', SLURMD_NODENAME: 'n3' };
  return spawnSync('sh', ['-c', scriptOf(order, 'python3', null)], { encoding: 'utf8', env });
}

test('a job writes down its number and node, and moves what would be written over as it starts', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'cat.safetensors'), 'old');
  mkdirSync(join(folder, 'cat-state'));
  const moves = ['cat.safetensors', 'cat-state', 'gone'].map((from) => ({ from, to: `earlier/attempt-1/${from}` }));
  expect(runScript(folder, 'a', 2, moves).status).toBe(0);
  expect(readAttempt(folder)).toMatchObject({ id: 'a', job: '42', cluster: 'test', node: 'n3', exit_code: 0 });
  expect(readdirSync(join(folder, 'earlier', 'attempt-1')).sort()).toEqual(['cat-state', 'cat.safetensors']);
  expect(readdirSync(folder)).not.toContain('cat.safetensors');
  // What is there already stays.
  writeFileSync(join(folder, 'cat.safetensors'), 'new');
  expect(runScript(folder, 'b', 3, moves).status).toBe(0);
  expect(readFileSync(join(folder, 'earlier', 'attempt-1', 'cat.safetensors'), 'utf8')).toBe('old');
});

test('the same attempt is not begun a second time, nor one that was asked to stop before it began', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'cat.safetensors'), 'weights');
  expect(runScript(folder, 'a', 2).status).toBe(0);
  const moves = [{ from: 'cat.safetensors', to: 'earlier/attempt-1/cat.safetensors' }];
  const again = runScript(folder, 'a', 2, moves);
  expect(again).toMatchObject({ status: 75, stderr: expect.stringContaining('2 is not a newer one') });
  await writeStopRequest(folder, 'b');
  const stopped = runScript(folder, 'b', 3, moves);
  expect(stopped).toMatchObject({ status: 75, stderr: expect.stringContaining('was asked to stop before it began') });
  expect(readFileSync(join(folder, 'cat.safetensors'), 'utf8')).toBe('weights');
  expect(readFileSync(join(folder, 'training.log'), 'utf8').match(/trained/g)).toHaveLength(1);
});

test('nothing is moved through a link', () => {
  const [folder, outside] = [newFolder(), newFolder()];
  writeFileSync(join(folder, 'cat.safetensors'), 'weights');
  symlinkSync(outside, join(folder, 'earlier'));
  expect(runScript(folder, 'a', 2, [{ from: 'cat.safetensors', to: 'earlier/attempt-1/cat.safetensors' }]).status).toBe(
    74,
  );
  expect(readdirSync(outside)).toEqual([]);
  expect(readdirSync(folder)).toContain('cat.safetensors');
});

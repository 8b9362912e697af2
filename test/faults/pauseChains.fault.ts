import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../sidecar.js';

test('200 random chains of pauses, kills and resumes end with the weights and losses of undisturbed runs', async () => {
  const prove = join(projectRoot, 'test', 'trainer-bridge', 'prove_pause.py');
  const { stdout } = await promisify(execFile)('python3', [prove, '--chains', '200']);
  console.log(stdout.trim());
  expect(stdout).toMatch(/^200 chains: .+"unequal": 0/m);
}, 3_600_000);

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../sidecar.js';

/** Two hundred of them are among the faults: pauseChains.fault.ts. */
test('five random chains of pauses and kills, in the middle of saves too, end with the weights and losses of undisturbed runs', async () => {
  const prove = join(projectRoot, 'test', 'trainer-bridge', 'prove_pause.py');
  const { stdout } = await promisify(execFile)('python3', [prove, '--chains', '5', '--epochs', '2']);
  expect(stdout).toMatch(/^5 chains: .+"unequal": 0/m);
}, 120_000);

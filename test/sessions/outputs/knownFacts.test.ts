import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { readKnownFacts, writeKnownFacts } from '../../../sidecar/sessions/outputs/knownFacts.js';
import { projectRoot } from '../../sidecar.js';

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('facts that other code has read are not believed', async () => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-known-'));
  const facts = { name: 'cat', status: 'completed' } as SessionFacts;
  await writeKnownFacts(folder, 'code-1', new Map([['cat', { signature: 's', facts }]]));
  expect((await readKnownFacts(folder, 'code-1')).get('cat')).toEqual({ signature: 's', facts });
  expect((await readKnownFacts(folder, 'code-2')).size).toBe(0);
});

test('a build of other code has another id, one of the same code the same, and no module of an older one is left', () => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-build-'));
  for (const each of ['sidecar', 'package.json', 'tsconfig.json']) {
    cpSync(join(projectRoot, each), join(folder, each), { recursive: true });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  const build = () => {
    // Without the Python side the program does not start, which the build only tells.
    execFileSync('sh', [join(folder, 'sidecar', 'build.sh')], { stdio: 'ignore' });
    return readFileSync(join(folder, '.build', 'id'), 'utf8').trim();
  };
  const first = build();
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  const files = readdirSync(join(folder, '.build', 'sidecar'));
  expect(build()).toBe(first);
  // Deep in a room.
  appendFileSync(join(folder, 'sidecar', 'sessions', 'preflight', 'space.ts'), "\nprocess.emit('more');\n");
  expect(build()).not.toBe(first);
  expect(readdirSync(join(folder, '.build', 'sidecar'))).toHaveLength(files.length);
  expect(readdirSync(folder).filter((name) => name.startsWith('.build'))).toEqual(['.build']);
});

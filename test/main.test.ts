import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { BUSY } from './busy.js';
import { isAlive, makeTestSidecars, projectRoot, quick } from './sidecar.js';

const run = promisify(execFile);
const main = join(projectRoot, '.build', 'sidecar', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'trackside-main-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What it prints where it cannot serve, and how it ends. */
function refused(...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const datasets = ['--datasets', join(folder, 'datasets')];
  const env = { ...process.env, TRACKSIDE_PRIVATE: join(folder, 'private') };
  return run(process.execPath, [main, 'serve', '--port', '0', ...datasets, ...flags], { env, timeout: 20_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

test('--help lists the commands, and serve --help the flags with their variables and defaults', async () => {
  expect((await run(process.execPath, [main, '--help'])).stdout).toMatch(/serve[\s\S]*describe .*<script>/);
  const { stdout } = await run(process.execPath, [main, 'serve', '--help']);
  for (const flag of ['--host', '--port', '--outputs', '--datasets', '--python']) expect(stdout).toContain(flag);
  expect(stdout).toMatch(/TRACKSIDE_PORT;\s+default\s+7860/);
});

test('the build keeps compiled code, and the program starts without, with that of another V8, and with other flags', async () => {
  const kept = (build: string) => readdirSync(build).filter((name) => name.endsWith('.code'));
  expect(kept(join(main, '..')).length).toBeGreaterThan(10);
  const moved = join(folder, '.build', 'sidecar');
  cpSync(join(main, '..'), moved, { recursive: true });
  for (const each of ['package.json', 'trainer-bridge', 'node_modules'])
    symlinkSync(join(projectRoot, each), join(folder, each));
  const version = async (...flags: string[]) =>
    (await run(process.execPath, [...flags, join(moved, 'main.js'), '--version'])).stdout;
  const told = await version();
  expect(told).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await version('--no-opt')).toBe(told);
  for (const name of kept(moved)) writeFileSync(join(moved, name), 'of another V8');
  expect(await version()).toBe(told);
  for (const name of kept(moved)) rmSync(join(moved, name));
  expect(await version()).toBe(told);
});

test('a setting that makes no sense is told in one line', async () => {
  for (const value of ['http', '1.5', '70000'])
    expect(await refused('--port', value)).toMatchObject({
      code: 1,
      stderr: `trackside: TRACKSIDE_PORT is "${value}", but it must be a whole number from 0 to 65535.\n`,
    });
  const open = await refused('--host', '0.0.0.0', '--no-login');
  const words = /^trackside: --no-login on 0\.0\.0\.0 would let anybody .+\n$/;
  expect(open).toMatchObject({ code: 1, stderr: expect.stringMatching(words) });
});

test('outputs that no folder can hold are told in one line, before any address', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  symlinkSync(join(folder, 'unmounted'), join(folder, 'link'));
  for (const path of [file, join(file, 'in', 'it'), '/proc/no-such-folder', join(folder, 'link', 'in')]) {
    const stderr = expect.stringMatching(/^trackside: can.t keep the outputs in .+--outputs\.\n$/);
    expect(await refused('--outputs', path), path).toMatchObject({ code: 1, stdout: '', stderr });
  }
});

test('describe prints arguments as JSON, and ends with words and a code other than 0 where it cannot', async () => {
  const ask = (script: string, ...flags: string[]) =>
    run(process.execPath, [main, 'describe', script, ...flags]).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  const practice = await ask(join(projectRoot, 'trainer-bridge', 'practice_train_network.py'));
  expect(practice).toMatchObject({ code: 0, stdout: expect.stringContaining('"--network_alpha"') });
  const nothing = await ask(join(folder, 'nothing.py'));
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringMatching(/^trackside: There is no script .+\n$/) });
  const noPython = await ask(join(folder, 'nothing.py'), '--python', join(folder, 'no-python'));
  expect(noPython).toMatchObject({ code: 1, stderr: expect.stringMatching(/^trackside: .+no-python.+\n$/) });
});

test('it prints one line, and Ctrl-C ends it at once and cleanly, with a page open, and touches no training', async () => {
  const place = makeTestSidecars();
  try {
    const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
    const started = await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
    const { pid } = started.body.attempts[0];
    const page = await fetch(new URL('sessions/cat/events', sidecar.url));
    const before = performance.now();
    expect(await sidecar.kill('SIGINT')).toBe(0);
    expect(performance.now() - before).toBeLessThan(2000 * BUSY);
    await page.text().catch(() => {});
    const [address, ...logged] = sidecar.printed().trim().split('\n');
    expect(address).toMatch(/^Trackside is at http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(logged.map((line) => JSON.parse(line).msg)).toEqual(['Created.', 'Started.']);
    expect(isAlive(pid)).toBe(true);
  } finally {
    await place.leave();
  }
});

test('a port that is in use is named, with what to do', async () => {
  const place = makeTestSidecars();
  try {
    const { port } = new URL((await place.serve()).url);
    const own = ['--outputs', place.outputs, '--datasets', place.datasets, '--private', join(place.folder, 'private')];
    const second = spawn(process.execPath, [main, 'serve', '--port', port, ...own]);
    let said = '';
    second.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect(await new Promise((resolve) => second.once('close', resolve))).toBe(1);
    expect(said).toMatch(new RegExp(`^trackside: port ${port} is already in use.+--port.+\n$`));
  } finally {
    await place.leave();
  }
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Check } from '../../sidecar/doctor/check.js';
import { projectRoot } from '../sidecar.js';

const main = join(projectRoot, '.build', 'sidecar', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'trackside-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const outputs = join(folder, 'outputs');
mkdirSync(outputs);

/** `trackside doctor` on a machine that is so. */
function examined(environment: NodeJS.ProcessEnv, before = '') {
  const places = { TRACKSIDE_OUTPUTS: outputs, TRACKSIDE_DATASETS: join(folder, 'datasets') };
  const own = { TRACKSIDE_PRIVATE: join(folder, 'private'), TRACKSIDE_MODELS: join(folder, 'models') };
  const script = `${before} exec "$0" "$@"`;
  const argv = ['-c', script, process.execPath, main, 'doctor', '--files', '--json'];
  return new Promise<{ code: number; checks: Record<string, Check> }>((resolve) =>
    execFile('sh', argv, { env: { ...process.env, ...places, ...own, ...environment } }, (error, stdout) => {
      const all = JSON.parse(stdout) as Check[];
      resolve({ code: Number(error?.code ?? 0), checks: Object.fromEntries(all.map((check) => [check.name, check])) });
    }),
  );
}

/** A Python whose torch says so. */
function torch(said: string): NodeJS.ProcessEnv {
  const place = mkdtempSync(join(folder, 'python-'));
  mkdirSync(join(place, 'torch'));
  writeFileSync(join(place, 'torch', '__init__.py'), said);
  return { PYTHONPATH: place };
}

writeFileSync(join(folder, 'nvidia-smi'), '#!/bin/sh\necho "0, NVIDIA GeForce RTX 5090, 575.57, 32607, 32000"\n', {
  mode: 0o755,
});
const GPU = { PATH: `${folder}${delimiter}${process.env.PATH}` };
const built = (version: string, cuda: string) => `
from types import SimpleNamespace as _ns
__version__ = "${version}"
version = _ns(cuda=${cuda}, hip=None)
cuda = _ns(is_available=lambda: True, device_count=lambda: 1, get_device_capability=lambda at: (12, 0),
           get_arch_list=lambda: ["sm_80", "sm_90"])
`;

test('each thing that is wrong with a pod is found, with what to do, and the exit code says so', async () => {
  const { code, checks } = await examined(
    {
      ...GPU,
      ...torch(built('2.4.0', '"12.1"')),
      TRACKSIDE_DATASETS: '/proc/1/datasets-of-nobody/in',
      TRACKSIDE_MODELS: '/proc/1',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '',
      no_proxy: '',
    },
    'ulimit -n 300;',
  );
  expect(code).toBe(1);
  expect(checks['models can be written']).toMatchObject({ status: 'error', todo: expect.stringMatching(/\w/) });
  expect(checks['limit of open files']).toMatchObject({ status: 'warning', found: '300' });
  expect(checks.proxies).toMatchObject({ status: 'warning', todo: 'Set NO_PROXY=localhost,127.0.0.1.' });
  expect(checks.torch).toMatchObject({ status: 'error', found: expect.stringContaining('the card is sm_120') });
  expect(checks.gpu).toMatchObject({ status: 'ok' });
  for (const name of ['outputs can be written', 'locks on the outputs', 'clock', 'python'])
    expect(checks[name], name).toMatchObject({ status: 'ok', todo: null });
  const wrong = Object.values(checks).filter(({ status }) => status === 'warning' || status === 'error');
  for (const { name, todo } of wrong) expect(todo, name).toMatch(/\w+/);
});

test('a torch without CUDA is told only where there is a GPU', async () => {
  const cpu = torch(built('2.4.0+cpu', 'None'));
  expect((await examined({ ...GPU, ...cpu })).checks.torch).toMatchObject({ status: 'error' });
  const { code, checks } = await examined({ ...cpu, PATH: process.env.PATH });
  expect([code, checks.torch?.status, checks.gpu?.status]).toEqual([0, 'ok', 'warning']);
});

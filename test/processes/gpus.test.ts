import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { parseGpus, readGpus } from '../../sidecar/processes/gpus.js';
import { BUSY } from '../busy.js';

const folder = mkdtempSync(join(tmpdir(), 'trackside-gpus-'));
afterEach(() => vi.unstubAllEnvs());

const GiB = 1024 ** 3;

test('each GPU is told with its name, driver and memory', () => {
  const printed =
    '0, NVIDIA H100 80GB HBM3, 570.86.15, 81559, 81079\n1, NVIDIA GeForce RTX 4090, 570.86.15, 24564, 512\n';
  expect(parseGpus(printed)).toEqual({
    missing: null,
    gpus: [
      {
        index: 0,
        name: 'NVIDIA H100 80GB HBM3',
        driver: '570.86.15',
        memoryTotal: 81559 * 2 ** 20,
        memoryFree: 81079 * 2 ** 20,
      },
      {
        index: 1,
        name: 'NVIDIA GeForce RTX 4090',
        driver: '570.86.15',
        memoryTotal: 24564 * 2 ** 20,
        memoryFree: GiB / 2,
      },
    ],
  });
});

test.each(['[N/A]', '[Unknown Error]', '[Not Supported]', '0'])('memory told as %s is not known', (told) => {
  const { gpus } = parseGpus(`0, NVIDIA Thor, 580.1, ${told}, ${told}\n`);
  expect(gpus).toMatchObject([{ name: 'NVIDIA Thor', memoryTotal: null, memoryFree: null }]);
});

test.each([
  ['No devices were found\n', 'No GPU was found: nvidia-smi says “No devices were found”.'],
  ['', 'No GPU was found: nvidia-smi says “nothing”.'],
])('without any, its own words are told', (printed, missing) => {
  expect(parseGpus(printed)).toEqual({ gpus: [], missing });
});

test('nvidia-smi of the PATH is asked, and a machine without one has no GPUs', async () => {
  vi.stubEnv('PATH', folder);
  expect(await readGpus()).toMatchObject({ gpus: [], missing: expect.stringContaining('is not installed') });
  writeFileSync(join(folder, 'nvidia-smi'), '#!/bin/sh\necho "0, NVIDIA L4, 550.1, 23034, 22500"\n', { mode: 0o755 });
  expect(await readGpus(), 'asked at most every two seconds').toMatchObject({ gpus: [] });
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 2001);
  expect(await readGpus()).toMatchObject({ gpus: [{ index: 0, name: 'NVIDIA L4' }], missing: null });
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('one that hangs is waited for once: until it answers again, its silence is the answer', async () => {
  const hangs = mkdtempSync(join(tmpdir(), 'trackside-gpus-'));
  vi.stubEnv('PATH', `${hangs}:/usr/bin:/bin`);
  const program = join(hangs, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n[ -e ${hangs}/answers ] || sleep 30\necho "0, NVIDIA L4, 550.1, 23034, 22500"\n`, {
    mode: 0o755,
  });
  expect(await readGpus(true)).toMatchObject({ gpus: [], missing: expect.stringContaining('took longer than 10 s') });
  const since = performance.now();
  expect(await readGpus()).toMatchObject({ gpus: [], missing: expect.stringContaining('took longer than 10 s') });
  expect(performance.now() - since).toBeLessThan(1000 * BUSY);
  writeFileSync(join(hangs, 'answers'), '');
  expect(await readGpus(true)).toMatchObject({ gpus: [{ name: 'NVIDIA L4' }] });
  expect(await readGpus()).toMatchObject({ gpus: [{ name: 'NVIDIA L4' }] });
  rmSync(hangs, { recursive: true });
});

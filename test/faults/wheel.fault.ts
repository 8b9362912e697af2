import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { openBrowser } from '../browser/chromium.js';
import { projectRoot, until } from '../sidecar.js';
import { lacks } from './needs.js';

const cache = join(projectRoot, '.cache', 'wheel');
const python = join(cache, 'venv', 'bin', 'python');
const folder = mkdtempSync(join(tmpdir(), 'trackside-wheel-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A PATH with what a small machine has, and no Node. */
function pathWithoutNode(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['sh', 'env', 'ps', 'python3', 'uname'])
    for (const place of (process.env.PATH ?? '').split(':'))
      if (existsSync(join(place, name)) && !existsSync(join(bin, name)))
        symlinkSync(join(place, name), join(bin, name));
  return `${join(cache, 'venv', 'bin')}:${bin}`;
}

const THREE_LINES = `
import trackside
page = trackside.launch(login=False)
page.wait()
`;

describe.skipIf(lacks('the wheel (npm run faults:wheel builds it)'))(
  'the wheel in a clean environment without Node',
  () => {
    const env = { ...process.env, PATH: pathWithoutNode(), TRACKSIDE_PRIVATE: join(folder, 'private') };

    test('the wheel of the sdist is that of the checkout, and holds all that the page needs', () => {
      const [wheel = ''] = readdirSync(join(cache, 'dist')).filter((name) => name.endsWith('.whl'));
      const contents = (path: string) =>
        execFileSync(
          'python3',
          [
            '-c',
            'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print("\\n".join(f"{i.filename} {i.CRC}" for i in z.infolist()))',
            path,
          ],
          { encoding: 'utf8', maxBuffer: 1e9 },
        )
          .split('\n')
          .filter((line) => !line.includes('.dist-info/RECORD'))
          .sort();
      const [straight = ''] = readdirSync(join(cache, 'straight'));
      expect(contents(join(cache, 'dist', wheel))).toEqual(contents(join(cache, 'straight', straight)));
      console.log(`The wheel has ${(statSync(join(cache, 'dist', wheel)).size / 1e6).toFixed(1)} MB`);
    });

    test('three lines of Python serve the page; a browser starts, stops and resumes a training through it', async () => {
      expect(spawnSync('sh', ['-c', 'command -v node'], { env }).status).not.toBe(0);
      expect(execFileSync('trackside', ['--version'], { env, encoding: 'utf8' }).trim()).toMatch(/^\d+\.\d+\.\d+/);
      writeFileSync(join(folder, 'page.py'), THREE_LINES);
      cpSync(join(projectRoot, 'trainer-bridge', 'examples', 'plain_loop.py'), join(folder, 'plain_loop.py'));
      const page = spawn(python, ['page.py'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [page.stdout, page.stderr]) stream.on('data', (text) => (said += text));
      const browser = await openBrowser();
      try {
        const url = await until(
          () => /http:\S+/.exec(said)?.[0] ?? null,
          (found) => found !== null,
          60,
        );
        const tab = await (await browser.newContext()).newPage();
        // A start: the practice trainer, whose pictures the wheel holds.
        await tab.goto(`${url}new`);
        await tab.getByLabel('LoRA name').fill('wheel');
        await tab.getByRole('button', { name: 'Start training' }).click();
        await tab.waitForURL(/sessions\/wheel/);
        const facts = async (name: string) => {
          const answer = await fetch(`${url}sessions/${name}`, { headers: { Accept: 'application/json' } });
          return (await answer.json()) as Partial<SessionFacts>;
        };
        await until(
          () => facts('wheel'),
          ({ status }) => status === 'running',
          60,
        );
        // And one that the page did not start.
        const loop = spawn(python, ['plain_loop.py', '--seconds', '0.05'], { cwd: folder, env, stdio: 'ignore' });
        await until(
          () => facts('plain-loop'),
          ({ progress }) => (progress?.step ?? 0) > 60,
          60,
        );
        await tab.goto(`${url}sessions/plain-loop`);
        await tab
          .getByRole('button', { name: /^Stop… / })
          .first()
          .click();
        await tab.getByRole('button', { name: 'Stop now' }).first().click();
        await until(
          () => facts('plain-loop'),
          ({ status }) => status === 'stopped',
          30,
        );
        expect(
          await until(
            () => loop.exitCode,
            (code) => code !== null,
            10,
          ),
        ).toBe(0);
        await tab
          .getByRole('button', { name: /Resume/ })
          .first()
          .click();
        const done = await until(
          () => facts('plain-loop'),
          ({ status }) => status === 'completed',
          120,
        );
        expect(done.attempts?.map(({ kind }) => kind)).toEqual(['start', 'resume']);
      } finally {
        await browser.close();
        page.kill('SIGKILL');
      }
      // However the program ends, the page ends with it.
      const serving = join(folder, 'private', 'serving');
      await until(
        () => readdirSync(serving),
        (notes) => notes.length === 0,
        15,
      );
      const metrics = readFileSync(join(folder, 'outputs', 'plain-loop', 'metrics.ndjson'), 'utf8');
      expect(metrics.match(/"step":/g)?.length).toBeGreaterThan(600);
    });
  },
);

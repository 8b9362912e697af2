import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchRunner } from '../../sidecar/launchers/launch.js';
import { createHub } from '../../sidecar/live/hub.js';
import { createNotices } from '../../sidecar/live/notices.js';
import { openOutputs } from '../../sidecar/sessions/outputs/outputs.js';
import { readLosses, readMetrics } from '../../sidecar/sessions/products/curve.js';
import { checkpointsOf, samplesOf, statesOf } from '../../sidecar/sessions/products/products.js';
import type { ConsoleFacts } from '../../sidecar/trainers/console.js';
import type { Dialect, StateOnDisk } from '../../sidecar/trainers/dialect.js';
import { addLoss, newCurve } from '../../sidecar/trainers/lossCurve.js';
import { addPoint, newSeries } from '../../sidecar/trainers/series.js';
import { cleanUpAfterEach, launchOf, newFolder, until } from '../launchers/outputFolder.js';

cleanUpAfterEach();

type Line = { attempt: string; step: number; of?: number; loss?: number; saved?: string };

const linesOf = (text: string) => text.split('\n').flatMap((line) => (line ? [JSON.parse(line) as Line] : []));
const reported = (folder: string) => linesOf(readFileSync(join(folder, 'reports.ndjson'), 'utf8'));
const told = (memory: unknown) => ({ rest: '', step: null, of: null, loss: null, ...(memory as object) }) as Told;
type Told = { rest: string; step: number | null; of: number | null; loss: number | null };

/** Reports in lines of JSON, counts steps over all attempts and no epochs; `w-2.bin` and `at-2/` are what it saves. */
const other: Dialect = {
  console: {
    file: 'reports.ndjson',
    read(memory, text, attempt) {
      const before = told(memory);
      const whole = (before.rest + text).split('\n');
      const rest = whole.pop() ?? '';
      const lines = linesOf(whole.join('\n')).filter((line) => line.attempt === attempt);
      const now = { ...before, rest };
      for (const { step, of, loss } of lines) Object.assign(now, { step, of: of ?? now.of, loss: loss ?? now.loss });
      const events = lines.flatMap(({ saved }) => (saved ? [{ type: 'state-saved' as const, path: saved }] : []));
      return { memory: now, events };
    },
    facts(memory, beginning): ConsoleFacts {
      const { step, of, loss } = told(memory);
      return {
        phase: step === null ? 'starting' : 'training',
        step,
        stepOffset: beginning?.stepOffset ?? 0,
        totalSteps: of,
        epoch: null,
        epochs: null,
        stepsPerEpoch: null,
        loss,
        savingState: null,
        lastCheckpoint: null,
        stateFollows: false,
        finished: false,
      };
    },
    together: ([first]) => first ?? null,
    newestRun: (text) => text,
  },
  outputName: () => null,
  nameBehind: (entry) =>
    /^w-\d+\.bin$/.test(entry)
      ? { is: 'checkpoint', outputName: 'w' }
      : /^at-\d+$/.test(entry)
        ? { is: 'state', outputName: 'w' }
        : null,
  saved(entry) {
    const found = other.nameBehind(entry);
    return found && { is: found.is, kind: 'step', number: Number(/\d+/.exec(entry)?.[0]) };
  },
  overwrites: () => false,
  async checkpoints(folder) {
    const names = readdirSync(folder).filter((name) => other.nameBehind(name)?.is === 'checkpoint');
    return names.map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      const number = Number(/\d+/.exec(name)?.[0]);
      const blank = { epoch: null, epochs: null, stepsPerEpoch: null, told: {} };
      return { name, kind: 'step', number, steps: number, bytes: size, savedAtMs: mtimeMs, whole: true, ...blank };
    });
  },
  final: { name: () => 'w.bin', wrong: async () => null },
  states: {
    async read(folder) {
      const names = readdirSync(folder).filter((name) => other.nameBehind(name)?.is === 'state');
      return names.map((name): StateOnDisk => {
        const number = Number(/\d+/.exec(name)?.[0]);
        const complete = readdirSync(join(folder, name)).includes('whole');
        const reason = complete ? null : 'its manifest is missing';
        const counted = { currentEpoch: null, currentStep: number };
        return { name, kind: 'step', number, ...counted, bytes: 0, savedAtMs: number, complete, reason };
      });
    },
    hasComplete: async () => true,
    damage: async () => null,
    stepsPerEpoch: () => null,
    recipe: ({ currentStep: step }) =>
      step === null ? null : { epoch: 0, step, firstEpoch: 1, stepOffset: step, repeatedSteps: 0 },
    position: ({ number }) => number,
  },
  samples: {
    folder: 'drawn',
    isName: (file) => file.endsWith('.png'),
    async read(folder) {
      const found = readdirSync(join(folder, 'drawn'));
      return found.map((name) => ({ name, epoch: null, step: 2, prompt: 0, seed: null, bytes: 1, savedAtMs: 0 }));
    },
    listed: (folder) => other.samples.read(folder),
    isWhole: async () => true,
    newest: async (folder) => readdirSync(join(folder, 'drawn'))[0] ?? null,
  },
  metrics: {
    runs: async (folder) => [
      reported(folder).map(({ step, loss = 0 }) => ({ tag: 'loss', step, value: loss, wallTime: 1 })),
    ],
    async losses(folder) {
      const curve = { ...newCurve(), begunAt: 1 };
      for (const { step, loss = 0 } of reported(folder)) addLoss(curve, { step, value: loss });
      return [curve];
    },
    async series(folder) {
      const curve = newSeries();
      for (const { step, loss = 0 } of reported(folder)) addPoint(curve, step, loss, 1);
      return [{ begunAt: 1, curves: new Map([['loss', curve]]) }];
    },
    countedBy: () => 'steps',
  },
  explain: (logTail) => ({
    words: logTail.includes('coffee') ? 'It ran out of coffee.' : null,
    code: null,
    again: 'repeats',
  }),
};

/** Trains steps 11 to 13, saves what it has at 12, and ends badly once it may. */
const TRAINER = `
import json, os, sys, time
def tell(**line):
    with open('reports.ndjson', 'a') as file: print(json.dumps(dict(attempt=os.environ['TRACKSIDE_ATTEMPT'], **line)), file=file)
print('steps:  10%|# | 999/9999 [00:01<00:09,  2.00it/s, avr_loss=9]', flush=True)
tell(step=11, of=20, loss=0.5)
for name in ('at-12', 'at-13', 'drawn'): os.mkdir(name)
for name in ('w-12.bin', 'at-12/whole', 'drawn/a.png'): open(name, 'w').close()
tell(step=12, loss=0.4, saved='at-12')
tell(step=13, loss=0.3)
while not os.path.exists('end'): time.sleep(0.02)
sys.exit('no coffee')
`;

test('a training that prints and leaves behind other things is followed, shown and resumed from all the same', async () => {
  const root = newFolder();
  const folder = join(root, 'cat');
  mkdirSync(folder);
  writeFileSync(join(folder, 'reports.ndjson'), '{"attempt":"another","step":99,"of":99}\n');
  const launch = launchOf(folder, ['python3', '-c', TRAINER]);
  const { id, number, kind } = launch.attempt;
  const attempt = { id, number, kind, started_at: new Date().toISOString(), argv: launch.argv, step_offset: 10 };
  writeFileSync(
    join(folder, 'ui_state.json'),
    JSON.stringify({ lora_name: 'cat', trainer: 'other', attempts: [attempt] }),
  );
  expect(await launchRunner(launch)).toMatchObject({ ok: true });

  const hub = createHub();
  const outputs = openOutputs({
    root,
    memory: `${root}.json`,
    build: 'test',
    hub,
    notices: createNotices(hub),
    dialectOf: () => other,
  });
  const heard: string[] = [];
  outputs.onConsole((_, events) => heard.push(...events.map(({ type }) => type)));
  await outputs.open();
  await until(() => outputs.facts('cat')?.progress.step === 13, 'the third step');
  expect(heard).toEqual(['state-saved']);
  expect((await outputs.read('cat')).facts).toMatchObject({
    status: 'running',
    progress: { phase: 'training', step: 13, total_steps: 20, percent: 65, loss: 0.3 },
    newest_sample: 'a.png',
  });

  writeFileSync(join(folder, 'end'), '');
  await expect.poll(async () => (await outputs.read('cat')).facts.status, { timeout: 15_000 }).toBe('failed');
  const session = await outputs.read('cat');
  expect(session.facts).toMatchObject({
    reason: 'It ran out of coffee.',
    resume: { state: 'at-12', step: 12, lost_steps: 1 },
  });
  expect(session.facts.resume?.passed_over).toMatchObject([{ state: 'at-13', reason: 'its manifest is missing' }]);
  expect(await checkpointsOf(session)).toMatchObject([{ name: 'w-12.bin', kind: 'step' }]);
  expect(statesOf(session).map(({ name, step }) => [name, step])).toEqual([
    ['at-13', 13],
    ['at-12', 12],
  ]);
  expect(await samplesOf(session)).toMatchObject([{ name: 'a.png' }]);
  expect((await readLosses(session)).map(({ step }) => step)).toEqual([99, 11, 12, 13]);
  expect(await readMetrics(session)).toHaveLength(4);
  const stored = JSON.parse(readFileSync(join(folder, 'progress.json'), 'utf8'));
  expect(stored).toMatchObject({ step: 13, begun: true, dialect: { rest: '', step: 13, of: 20, loss: 0.3 } });
  await outputs.close();
});

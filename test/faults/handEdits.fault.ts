import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { measured } from './needs.js';

let place: TestSidecars;
let sidecar: Sidecar;
let folder: string;
beforeEach(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 1, start: true });
  await sidecar.until('cat', (facts) => facts.status === 'completed');
  folder = join(place.outputs, 'cat');
});
afterEach(() => place.leave());

const state = () => JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8'));

/** Edits as fast as a shell can, each with a key of its own at every depth. */
const storm = (edits: number) => `
for i in $(seq ${edits}); do
  jq ".mine.n$i = $i | .attempts[0].tags.n$i = $i | .deep.a[0].n$i = {x: $i}" ui_state.json > t && mv t ui_state.json || exit 1
done`;

test('of 1,000 edits by jq and mv while the sidecar writes, none is lost, at no depth', async () => {
  const EDITS = 1000;
  let over = false;
  const editing = new Promise<number | null>((resolve) => {
    spawn('bash', ['-c', storm(EDITS)], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }).once(
      'exit',
      (code) => {
        over = true;
        resolve(code);
      },
    );
  });
  let patches = 0;
  let refused = 0;
  while (!over) {
    const { status } = await sidecar.send('PATCH', 'sessions/cat', { notes: `note ${patches + 1}`, description: 'd' });
    if (status === 200) patches += 1;
    else refused += 1;
  }
  expect(await editing).toBe(0);
  const kept = () => {
    const { mine, attempts, deep } = state();
    const all = Array.from({ length: EDITS }, (_, at) => `n${at + 1}`);
    return all.filter(
      (key) => !(mine?.[key] && attempts?.[0]?.tags?.[key] && deep?.a?.[0]?.[key]?.x === Number(key.slice(1))),
    );
  };
  await until(
    () => state().notes,
    (notes) => notes === `note ${patches}`,
    10,
  ).catch(() => {});
  measured(12, `${EDITS} jq edits beside ${patches} writes of the sidecar (${refused} refused): ${kept().length} lost`);
  expect(kept()).toEqual([]);
  expect(state().notes).toBe(`note ${patches}`);
  expect(state().attempts).toHaveLength(1);
  expect(readdirSync(join(folder, 'history')).filter((name) => name.startsWith('ui_state'))).toHaveLength(20);
  expect(sidecar.printed()).not.toContain('Error');
});

test('300 edits in place, truncating and writing in two parts, beside writes of the sidecar: none is lost', async () => {
  const EDITS = 300;
  const script = `
import json, time, random
path = 'ui_state.json'
for i in range(1, ${EDITS + 1}):
    while True:
        try:
            state = json.load(open(path)); break
        except ValueError:
            time.sleep(0.001)
    state.setdefault('mine', {})['n%d' % i] = i
    text = json.dumps(state, indent=2)
    with open(path, 'w') as file:
        file.write(text[:len(text) // 2]); file.flush()
        time.sleep(random.choice([0, 0.001, 0.02, 0.1 if i % 50 == 0 else 0]))
        file.write(text[len(text) // 2:])
    time.sleep(random.random() * 0.02)
`;
  let over = false;
  const editing = new Promise<number | null>((resolve) => {
    spawn('python3', ['-c', script], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }).once('exit', (code) => {
      over = true;
      resolve(code);
    });
  });
  let patches = 0;
  while (!over) {
    const { status } = await sidecar.send('PATCH', 'sessions/cat', { description: `${patches + 1}` });
    if (status === 200) patches += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await editing).toBe(0);
  const lost = () => Array.from({ length: EDITS }, (_, at) => at + 1).filter((n) => state().mine?.[`n${n}`] !== n);
  await until(lost, (left) => left.length === 0, 5).catch(() => {});
  measured(12, `${EDITS} edits in place beside ${patches} writes of the sidecar: ${lost().length} lost`);
  expect(lost()).toEqual([]);
  // Half a file that is being written was never taken for a broken one.
  expect(readdirSync(folder).filter((name) => name.includes('broken'))).toEqual([]);
  expect(existsSync(join(folder, 'ui_state.json'))).toBe(true);
  execFileSync('jq', ['.', join(folder, 'ui_state.json')]);
});

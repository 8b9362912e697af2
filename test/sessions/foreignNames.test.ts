import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { appInProcess } from '../inProcess.js';
import { exampleDataset, quick } from '../sidecar.js';

const { settings, ask, leave } = appInProcess();
afterAll(leave);
const json = { Accept: 'application/json', 'Content-Type': 'application/json' };

test('output folders that other tools gave odd names are listed, and their pages open', async () => {
  const names = ['_tmp', "cat's", 'cat+dog', '[cat] & #1? 50%', 'cat (2), @home'];
  for (const name of names) {
    mkdirSync(join(settings.outputs, name));
    const header = Buffer.from('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
    const length = Buffer.alloc(8);
    length.writeUInt32LE(header.length);
    writeFileSync(
      join(settings.outputs, name, `${name}.safetensors`),
      Buffer.concat([length, header, Buffer.alloc(4)]),
    );
  }
  for (const name of names)
    expect((await ask(`/sessions/${encodeURIComponent(name)}`, { headers: { Accept: 'text/html' } })).status).toBe(200);
  const listed = (await (await ask('/sessions', { headers: json })).json()) as { name: string }[];
  expect(listed.map(({ name }) => name).sort()).toEqual([...names].sort());
  const home = await (await ask('/', { headers: { Accept: 'text/html' } })).text();
  for (const name of names) expect(home).toContain(`sessions/${encodeURIComponent(name).replaceAll("'", '&#39;')}`);
});

test('a start on a damaged picture is refused with its name', async () => {
  const picture = readFileSync(join(exampleDataset, '01-morning.png'));
  cpSync(exampleDataset, join(settings.datasets, 'bad'), { recursive: true });
  writeFileSync(join(settings.datasets, 'bad', 'half.png'), picture.subarray(0, picture.length / 2));
  const body = JSON.stringify({ ...quick, lora_name: 'x', dataset: 'bad', start: true });
  const answer = await ask('/sessions', { method: 'POST', headers: json, body });
  expect(answer.status).toBe(422);
  expect(await answer.text()).toContain("half.png can't be used: The picture is damaged");
});

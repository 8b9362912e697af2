import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { pause } from './figures.js';

/** What a browser asks for. */
export const page = { headers: { Accept: 'text/html' } };

/** How many sessions the list has of each status; interrupted ones apart. */
export async function statusCounts(sidecar: Sidecar): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, interrupted } of await sidecar.get<SessionFacts[]>('sessions')) {
    const told = interrupted ? 'interrupted' : status;
    counts[told] = (counts[told] ?? 0) + 1;
  }
  return counts;
}

/** Milliseconds that each of `count` requests for the list's page took, one after the other with pauses between. */
export async function pageTimes(url: string, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const asked = performance.now();
    const answer = await fetch(url, page);
    await answer.text();
    if (answer.status !== 200) throw new Error(`GET / answered ${answer.status}`);
    times.push(performance.now() - asked);
    await pause(10 + (round % 20));
  }
  return times;
}

/** Seconds until an edit by `jq … && mv` showed, of each of `count` sessions of `manySessions`. */
export async function editTimes(place: TestSidecars, sidecar: Sidecar, count: number, tag: string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const path = join(place.outputs, `lora-0${4000 + round * 7}`, 'ui_state.json');
    const edit = `jq '.description="${tag} ${round} seen"' '${path}' > '${path}.t' && mv '${path}.t' '${path}'`;
    const edited = performance.now();
    spawnSync('bash', ['-c', edit]);
    await until(
      async () => (await sidecar.get<SessionFacts[]>(`sessions?q=${tag}+${round}+seen`)).length,
      (found) => found > 0,
      120,
    );
    times.push((performance.now() - edited) / 1000);
  }
  return times;
}

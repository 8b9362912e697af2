import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { isAlive, type Place, quick, type Sidecar } from '../sidecar.js';

const NAMES = ['one', 'two', 'three'];
const ALIVE = ['starting', 'running', 'stopping'];
/** A change may take so long to show: the look round, a correction, a busy machine. */
const PATIENCE_MS = 15_000;

export type SoakResult = {
  seed: number;
  seconds: number;
  /** How often each fault or wish was made. */
  actions: Record<string, number>;
  completed: number;
  /** Sidecars that ended without being killed, files that were not whole, statuses that were not true. */
  exits: string[];
  torn: string[];
  lies: string[];
};

/**
 * Mixes faults and wishes at random for so many seconds over three sessions that all train the same: kills of sidecar,
 * runner and trainer, stops, resumes, relaunches, edits by jq, cut state folders, spoiled PID files. All the while it
 * compares what is told with what /proc says, reads every ui_state.json, and in the end all weights with those of a run
 * that nobody disturbed.
 */
export async function soak(place: Place, seed: number, seconds: number): Promise<SoakResult> {
  const random = createRandom(seed);
  const result: SoakResult = { seed, seconds, actions: {}, completed: 0, exits: [], torn: [], lies: [] };
  const settings = { ...quick, max_train_epochs: 5, num_repeats: 2 };
  const environment = { PRACTICE_STEP_SECONDS: '0.02', PRACTICE_SAVE_SECONDS: '0.2' };
  let sidecar = await place.serve(environment);
  const edits = new Map<string, string>();
  const wholeFiles = setInterval(() => result.torn.push(...tornFiles(place.outputs)), 50);

  const undisturbed = await finish(sidecar, 'undisturbed', settings);
  for (const name of NAMES) await sidecar.send('POST', 'sessions', { ...settings, lora_name: name });

  const actions: Record<string, (name: string) => Promise<void>> = {
    async go(name) {
      const { next } = await sidecar.session(name);
      const kind = next === 'start' ? 'start' : next === 'resume' ? 'resume' : 'relaunch';
      if (next === 'stop' || next === null) return;
      expectStatus(await sidecar.send('POST', `sessions/${name}/attempts`, { kind }), [201, 409]);
    },
    async goTwice(name) {
      const { next } = await sidecar.session(name);
      if (next !== 'resume' && next !== 'start') return;
      const press = () => sidecar.send('POST', `sessions/${name}/attempts`, { kind: next });
      for (const answer of await Promise.all([press(), press()])) expectStatus(answer, [201, 409]);
    },
    async stop(name) {
      expectStatus(await sidecar.send('DELETE', `sessions/${name}/attempts/current`), [202, 409]);
    },
    async stopAfterSave(name) {
      expectStatus(await sidecar.send('DELETE', `sessions/${name}/attempts/current?when=after-save`), [202, 409]);
    },
    async killSidecar() {
      await sidecar.kill('SIGKILL');
      sidecar = await place.serve(environment);
    },
    async endSidecar() {
      const code = await sidecar.kill('SIGTERM');
      if (code !== 0) result.exits.push(`told to end, the sidecar ended with ${code}`);
      sidecar = await place.serve(environment);
    },
    killRunner: async (name) => signal(place, name, ['pid'], 'SIGKILL'),
    killTrainer: async (name) => signal(place, name, ['trainer_pid'], 'SIGKILL'),
    killBoth: async (name) => signal(place, name, ['pid', 'trainer_pid'], 'SIGKILL'),
    endByHand: async (name) => signal(place, name, ['pid'], 'SIGTERM'),
    async edit(name) {
      const value = `edit ${random.integer(1e9)}`;
      const script = `jq --arg v '${value}' '.description=$v | .mine={"deep":[$v]}' ui_state.json > t.tmp && mv t.tmp ui_state.json`;
      execFileSync('bash', ['-c', script], { cwd: join(place.outputs, name) });
      edits.set(name, value);
    },
    async cutState(name) {
      if (trainersOf(place, name).length > 0) return;
      const folder = join(place.outputs, name);
      const states = readdirSync(folder).filter((entry) => entry.endsWith('-state'));
      const state = states[random.integer(states.length)];
      if (!state) return;
      const files = readdirSync(join(folder, state));
      const file = files[random.integer(files.length)];
      if (file) truncateSync(join(folder, state, file), random.integer(40));
    },
    async spoilPidFile(name) {
      writeFileSync(join(place.outputs, name, 'training.pid'), random.pick(['', 'x', '1\n', '-1', `${process.pid}\n`]));
    },
    async look() {
      await sidecar.get('sessions');
    },
  };
  const often: (keyof typeof actions)[] = ['go', 'go', 'go', 'go', 'look', 'look', ...Object.keys(actions)];

  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const action = random.pick(often);
    const name = random.pick(NAMES);
    result.actions[action] = (result.actions[action] ?? 0) + 1;
    try {
      await actions[action]?.(name);
    } catch (error) {
      result.lies.push(`${action} of ${name}: ${(error as Error).message}`);
    }
    await pause(random.integer(900));
    if (!isAlive(sidecar.pid)) {
      result.exits.push(`after ${action}: ${sidecar.printed().slice(-500)}`);
      sidecar = await place.serve(environment);
    }
    for (const each of NAMES) {
      const lie = await lieAbout(place, sidecar, each, edits.get(each));
      if (lie) result.lies.push(`after ${action} of ${name}: ${lie}`);
    }
  }

  for (const name of NAMES) {
    try {
      const weights = await finish(sidecar, name, settings);
      result.completed += 1;
      if (weights !== undisturbed) result.lies.push(`${name} is completed, but its weights are others`);
    } catch (error) {
      result.lies.push(`${name} does not complete: ${(error as Error).message.slice(0, 600)}`);
    }
  }
  clearInterval(wholeFiles);
  return result;

  /** Takes a session to its end, and gives the digest of its weights. */
  async function finish(by: Sidecar, name: string, make: typeof settings): Promise<string> {
    if (!existsSync(join(place.outputs, name))) await by.send('POST', 'sessions', { ...make, lora_name: name });
    const { next } = await by.until(name, ({ status }) => !ALIVE.includes(status) && status !== 'pending', 60);
    const kind = next === 'resume' || next === 'start' ? next : next === 'start over' ? 'relaunch' : null;
    if (kind) await by.send('POST', `sessions/${name}/attempts`, { kind });
    await by.until(name, ({ status }) => status === 'completed', 60);
    return digest(join(place.outputs, name, `${name}.safetensors`));
  }
}

/** Asks until what is told agrees with /proc, or patience is at an end: then the lie, in words. */
async function lieAbout(
  place: Place,
  sidecar: Sidecar,
  name: string,
  edit: string | undefined,
): Promise<string | null> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const before = trainersOf(place, name);
    const facts = await sidecar.session(name);
    const lie = disagreement(facts, before, trainersOf(place, name), edit);
    if (!lie) return null;
    if (performance.now() > end) return lie;
    await pause(50);
  }
}

function disagreement(facts: SessionFacts, before: number[], after: number[], edit: string | undefined): string | null {
  const { name, status } = facts;
  if (after.length > 1) return `${after.length} trainers live in ${name}: ${after}`;
  if (ALIVE.includes(status) && before.length === 0 && after.length === 0) {
    return `${name} is told to be ${status}, but no trainer lives`;
  }
  if (!ALIVE.includes(status) && status !== 'pending' && before.length > 0 && after.length > 0) {
    return `${name} is told to be ${status}, but ${after} lives`;
  }
  if (facts.record !== 'whole') return `${name}: ${facts.reason}`;
  if (edit !== undefined && facts.description !== edit) return `${name} lost the edit "${edit}"`;
  return null;
}

/** PIDs of the trainers that write into a session, as the kernel tells them. */
function trainersOf(place: Place, name: string): number[] {
  const mark = `--output_dir=${join(place.outputs, name)}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return argv.includes(mark) && !argv.some((token) => token.endsWith('runner.py')) && isAlive(pid);
      } catch {
        return false;
      }
    });
}

function tornFiles(outputs: string): string[] {
  const sessions = readdirSync(outputs).filter((name) => !name.startsWith('.'));
  return sessions.flatMap((name) => {
    const path = join(outputs, name, 'ui_state.json');
    try {
      JSON.parse(readFileSync(path, 'utf8'));
      return [];
    } catch (error) {
      const young = (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(join(outputs, name, 'history'));
      return young ? [] : [`${path}: ${(error as Error).message}`];
    }
  });
}

/** Signals processes of a running attempt, by the record that its runner wrote. */
function signal(place: Place, name: string, who: ('pid' | 'trainer_pid')[], signalName: NodeJS.Signals): void {
  const mine = trainersOf(place, name);
  if (mine.length === 0) return;
  const record = JSON.parse(readFileSync(join(place.outputs, name, 'attempt.json'), 'utf8'));
  // The record may be of an attempt that has ended: only of one whose trainer lives are the PIDs ours.
  if (record.ended_at !== null || !mine.includes(record.trainer_pid)) return;
  for (const each of who) {
    try {
      process.kill(record[each], signalName);
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** Of the tensors alone: the header holds times. */
function digest(path: string): string {
  const bytes = readFileSync(path);
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}

function expectStatus(answer: { status: number; body: unknown }, statuses: number[]): void {
  if (!statuses.includes(answer.status)) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** mulberry32: the same seed, the same choices. */
function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    integer: (below: number) => Math.floor(next() * below),
    pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
  };
}

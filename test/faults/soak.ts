import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive, quick, type TestSidecars, trainersOf } from '../sidecar.js';
import { compileClock } from './clockLibrary.js';
import { createRandom } from './random.js';
import { mountSmallDisk } from './soakDisk.js';
import { createHome, signalAttempt } from './soakHome.js';
import { ALIVE, type Done, lieAbout, tornFiles, weightsOf } from './soakTruth.js';

const NAMES = ['one', 'two', 'three'] as const;
type Name = (typeof NAMES)[number];
const DAY = 86_400;
const run = promisify(execFile);

/** Faults beyond those that any machine gives. */
export type Extras = {
  /** A wall clock that jumps; needs gcc. */
  clock: boolean;
  /** A disk that is full or read-only for a while; needs mounting. */
  disk: boolean;
  /** Pods that go away, are shut down, begin anew, here or on another machine; needs PID namespaces. */
  pods: boolean;
};

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
 * runner and trainer, stops, resumes, relaunches, cut state folders, spoiled PID files, edits by jq at the very same
 * time, and the extras. All the while it compares what is told with what /proc says, reads every ui_state.json, and in
 * the end all weights with those of a run that nobody disturbed.
 */
export async function soak(place: TestSidecars, seed: number, seconds: number, extras: Extras): Promise<SoakResult> {
  const random = createRandom(seed);
  const result: SoakResult = { seed, seconds, actions: {}, completed: 0, exits: [], torn: [], lies: [] };
  const settings = { ...quick, max_train_epochs: 5, num_repeats: 2 };
  const clock = extras.clock ? compileClock() : null;
  const time = join(place.folder, 'clock');
  mkdirSync(place.folder, { recursive: true });
  writeFileSync(time, '0\n');
  const environment = {
    ...{ PRACTICE_STEP_SECONDS: '0.02', PRACTICE_SAVE_SECONDS: '0.2' },
    ...(clock ? { LD_PRELOAD: clock.path, CLOCK_OFFSET: time } : {}),
  };
  const disk = extras.disk ? mountSmallDisk(place.outputs) : null;
  let diskFaultEnds = 0;
  const home = await createHome(place, NAMES, environment);
  const done: Record<string, Done> = Object.fromEntries(NAMES.map((name) => [name, {}]));
  const editing = new Set<string>();
  /** Told at once, for a further try that succeeds would hide it. */
  const found = (what: 'exits' | 'torn' | 'lies', words: string) => {
    result[what].push(words);
    const log = home.sidecar().printed().slice(-4000);
    console.error(
      `Soak with seed ${seed} found after ${JSON.stringify(result.actions)}: ${words}\nThe sidecar's log:\n${log}`,
    );
  };
  const wholeFiles = setInterval(() => {
    for (const words of tornFiles(place.outputs)) found('torn', words);
  }, 50);

  const actions: Record<string, (name: Name) => unknown> = {
    async go(name) {
      const { next } = await home.sidecar().session(name);
      const kind = next === 'start' ? 'start' : next === 'resume' ? 'resume' : 'relaunch';
      if (next === 'stop' || next === null) return;
      const answer = await send('POST', `sessions/${name}/attempts`, [201, 409], { kind });
      if (answer === 201) mine(name).byHand = false;
    },
    async goTwice(name) {
      const { next } = await home.sidecar().session(name);
      if (next !== 'resume' && next !== 'start') return;
      const press = () => send('POST', `sessions/${name}/attempts`, [201, 409], { kind: next });
      if ((await Promise.all([press(), press()])).includes(201)) mine(name).byHand = false;
    },
    stop: (name) => send('DELETE', `sessions/${name}/attempts/current`, [202, 409]),
    stopAfterSave: (name) => send('DELETE', `sessions/${name}/attempts/current?when=after-save`, [202, 409]),
    keepTraining: (name) => send('DELETE', `sessions/${name}/attempts/current/stop`, [200, 409]),
    killSidecar: () => home.restart('SIGKILL'),
    async endSidecar() {
      const code = await home.restart('SIGTERM');
      if (code !== 0) found('exits', `told to end, the sidecar ended with ${code}`);
    },
    killRunner: (name) => kill(name, ['pid'], 'SIGKILL'),
    killTrainer: (name) => kill(name, ['trainer_pid'], 'SIGKILL'),
    killBoth: (name) => kill(name, ['pid', 'trainer_pid'], 'SIGKILL'),
    endByHand(name) {
      mine(name).byHand = true;
      kill(name, ['pid'], 'SIGTERM');
    },
    edit,
    cutState(name) {
      if (trainersOf(place, name).length > 0 || disk?.fault()) return;
      const folder = join(place.outputs, name);
      const state = random.pick(readdirSync(folder).filter((entry) => entry.endsWith('-state')));
      const file = state && random.pick(readdirSync(join(folder, state)));
      if (file) truncateSync(join(folder, state, file), random.integer(40));
    },
    spoilPidFile(name) {
      if (disk?.fault()) return;
      writeFileSync(join(place.outputs, name, 'training.pid'), random.pick(['', 'x', '1\n', '-1', `${process.pid}\n`]));
    },
    look: () => home.sidecar().get('sessions'),
    ...(clock ? { jumpClock: () => writeFileSync(time, `${random.pick([-DAY, 0, DAY])}\n`) } : {}),
    ...(disk ? { fillDisk: () => breakDisk('full'), readOnlyDisk: () => breakDisk('read-only') } : {}),
    ...(extras.pods
      ? {
          restartPod: () => intoPod(false),
          movePod: () => intoPod(true),
          shutDownPod: () => home.shutDown(),
        }
      : {}),
  };
  const often = ['go', 'go', 'go', 'go', 'look', 'look', ...Object.keys(actions)];

  try {
    await finish('undisturbed');
    const undisturbed = weightsOf(place, 'undisturbed');
    for (const name of NAMES) await send('POST', 'sessions', [201], { ...settings, lora_name: name });
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) await turn();
    disk?.end();
    for (const name of NAMES) {
      try {
        await finish(name);
        result.completed += 1;
        if (weightsOf(place, name) !== undisturbed) found('lies', `${name} is completed, but its weights are others`);
      } catch (error) {
        found('lies', `${name} does not complete: ${(error as Error).message.slice(0, 600)}`);
      }
    }
  } finally {
    clearInterval(wholeFiles);
    await home.sidecar().kill('SIGKILL');
    disk?.end();
    if (disk) await place.leave().catch(() => {});
    disk?.remove();
    clock?.remove();
  }
  return result;

  /** One action, now and then with an edit by hand at the same moment, and a look whether all that is told is true. */
  async function turn(): Promise<void> {
    const action = random.pick(often);
    const name = random.pick(NAMES);
    const [edits, pause] = [random.integer(4) === 0, random.integer(900)];
    result.actions[action] = (result.actions[action] ?? 0) + 1;
    try {
      await Promise.all([actions[action]?.(name), edits ? edit(random.pick(NAMES)) : null]);
    } catch (error) {
      found('lies', `${action} of ${name}: ${(error as Error).message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (disk?.fault() && performance.now() > diskFaultEnds) disk.end();
    if (!isAlive(home.sidecar().pid)) {
      found('exits', `after ${action}: ${home.sidecar().printed().slice(-500)}`);
      await home.restart('SIGKILL');
    }
    for (const each of NAMES) {
      const lie = await lieAbout(place, home.sidecar(), each, { ...mine(each), diskFault: Boolean(disk?.fault()) });
      if (lie) found('lies', `after ${action} of ${name}: ${lie}`);
    }
  }

  function mine(name: Name): Done {
    done[name] ??= {};
    return done[name];
  }

  /** Answers the status; while the disk takes nothing, that may be the answer. */
  async function send(method: string, path: string, statuses: number[], body?: unknown): Promise<number> {
    const hadFault = disk?.fault();
    const answer = await home.sidecar().send(method, path, body);
    const isRefused = answer.status === 507 || answer.body?.error?.code === 'disk_space';
    if (!statuses.includes(answer.status) && !(isRefused && (hadFault || disk?.fault()))) {
      const printed = answer.status === 500 ? home.sidecar().printed().slice(-1500) : '';
      throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)} ${printed}`);
    }
    return answer.status;
  }

  function kill(name: Name, who: ('pid' | 'trainer_pid')[], signal: NodeJS.Signals): void {
    signalAttempt(place, name, trainersOf(place, name), who, signal);
  }

  async function edit(name: Name): Promise<void> {
    if (editing.has(name) || disk?.fault()) return;
    editing.add(name);
    const value = `edit ${random.integer(1e9)}`;
    const script = `jq --arg v '${value}' '.description=$v | .mine={"deep":[$v]}' ui_state.json > t.tmp && mv t.tmp ui_state.json`;
    await run('bash', ['-c', script], { cwd: join(place.outputs, name) });
    mine(name).edit = value;
    editing.delete(name);
  }

  /** A pod has mounts of its own, in which a fault of the disk would stay for ever. */
  function intoPod(otherMachine: boolean): Promise<void> {
    disk?.end();
    return home.moveIntoPod(otherMachine);
  }

  function breakDisk(fault: 'full' | 'read-only'): void {
    if (!disk || disk.fault() || (fault === 'read-only' && home.isPod())) return;
    diskFaultEnds = performance.now() + 1000 + random.integer(5000);
    disk.begin(fault);
  }

  /** Takes a session to its end: completed, or killed when everything was trained and saved. */
  async function finish(name: string): Promise<void> {
    const sidecar = home.sidecar();
    if (!existsSync(join(place.outputs, name)))
      await sidecar.send('POST', 'sessions', { ...settings, lora_name: name });
    const ended = await sidecar.until(name, ({ status }) => !ALIVE.includes(status) && status !== 'pending', 60);
    if (ended.all_trained) return;
    const { next } = ended;
    const kind = next === 'resume' || next === 'start' ? next : next === 'start over' ? 'relaunch' : null;
    if (kind) await sidecar.send('POST', `sessions/${name}/attempts`, { kind });
    await sidecar.until(name, (facts) => facts.all_trained, 60);
  }
}

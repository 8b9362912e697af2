import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { isAlive, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { createRandom } from './random.js';

export type QueueRounds = {
  seed: number;
  rounds: number;
  /** How often each thing was done, and how many trainings were begun by it all. */
  actions: Record<string, number>;
  begun: number;
  /** Moments at which two trainings had one GPU. */
  twice: string[];
  /** Sessions that were queued, not taken out, and never begun. */
  forgotten: string[];
};

type Asked = {
  seed: number;
  rounds: number;
  environment: NodeJS.ProcessEnv;
  /** The body of a session of that name, short and quick. */
  body(name: string, gpus: string): Record<string, unknown>;
  /** What sessions may ask for; none of them where they use no GPU. */
  gpus: readonly string[];
};

/**
 * Random sequences of queue, stop, crash and restart: trainings are queued, moved, held, stopped and killed, and Trackside is
 * killed in between and begun anew. While all of that happens /proc tells which trainings have which GPU; in the end of each
 * round all that was queued must have been begun.
 */
export async function queueRounds(place: TestSidecars, asked: Asked): Promise<QueueRounds> {
  const random = createRandom(asked.seed);
  console.log(`queue: ${asked.rounds} rounds, seed ${asked.seed}`);
  const result: QueueRounds = { ...{ seed: asked.seed, rounds: 0, actions: {}, begun: 0 }, twice: [], forgotten: [] };
  const found = watchGpus(place.outputs, (words) => result.twice.push(words));
  let sidecar = await place.serve(asked.environment);
  let made = 0;
  let mine = new Set<string>();
  const send = async (method: string, path: string, body?: unknown) => sidecar.send(method, path, body);
  const queued = async () =>
    (await sidecar.get<{ queue: { session: string }[] }>('queue')).queue.map(({ session }) => session);
  const running = async () =>
    (await sidecar.get<SessionFacts[]>('sessions')).filter(({ attempts }) => attempts.at(-1)?.alive);
  const actions: Record<string, () => Promise<unknown>> = {
    async add() {
      made += 1;
      const name = `s${made}`;
      const gpus = asked.gpus.length > 0 ? random.pick(asked.gpus) : '';
      const { status } = await send('POST', 'sessions', asked.body(name, gpus));
      if (status !== 201) throw new Error(`not made: ${status}`);
      const answer = await send('POST', `sessions/${name}/queue`, { first: random.integer(3) === 0 });
      if (answer.status !== 202) throw new Error(`not queued: ${JSON.stringify(answer.body)}`);
      mine.add(name);
    },
    async stop() {
      const [session] = await running();
      if (session) await send('DELETE', `sessions/${session.name}/attempts/current`);
    },
    async crash() {
      const pids = found.trainers();
      if (pids.length > 0) signal(random.pick(pids), 'SIGKILL');
    },
    async restart() {
      await sidecar.kill('SIGKILL');
      sidecar = await place.serve(asked.environment);
    },
    async order() {
      await send('PATCH', 'queue', { order: (await queued()).sort(() => random.integer(3) - 1) });
    },
    async hold() {
      const names = await queued();
      if (names.length > 0)
        await send('PATCH', 'queue', { session: random.pick(names), held: random.integer(2) === 0 });
    },
    async 'take out'() {
      const names = await queued();
      if (names.length === 0) return;
      const name = random.pick(names);
      if ((await send('DELETE', `sessions/${name}/queue`)).status === 200) mine.delete(name);
    },
    wait: () => new Promise((resolve) => setTimeout(resolve, random.integer(600))),
  };
  const chances = ['add', 'add', 'add', 'stop', 'crash', 'restart', 'order', 'hold', 'take out', 'wait', 'wait'];
  try {
    for (; result.rounds < asked.rounds; result.rounds += 1) {
      mine = new Set();
      for (const name of ['add', ...Array.from({ length: 3 + random.integer(5) }, () => random.pick(chances))]) {
        await actions[name]?.();
        result.actions[name] = (result.actions[name] ?? 0) + 1;
      }
      result.begun += await drain(sidecar, mine, result.forgotten);
    }
  } finally {
    found.end();
  }
  return result;
}

/** Lets all that waits run, says which never began, and deletes them. Returns how many were begun. */
async function drain(sidecar: Sidecar, mine: ReadonlySet<string>, forgotten: string[]): Promise<number> {
  const rests = ({ status, attempts }: SessionFacts) => status !== 'pending' && !attempts.at(-1)?.alive;
  const all = await until(
    async () => {
      const listed = await sidecar.get<SessionFacts[]>('sessions');
      if (listed.some(({ queue }) => queue?.held || queue?.failed))
        await sidecar.send('PATCH', 'queue', { held: false });
      return listed;
    },
    (listed) => listed.every(rests),
    300,
  );
  for (const name of mine) {
    const facts = all.find((each) => each.name === name);
    const ran = facts?.attempts.some(({ reason_code }) => reason_code !== 'sidecar_gone');
    if (!ran) forgotten.push(`${name}: ${JSON.stringify(facts)}`);
  }
  for (const { name } of all) await sidecar.send('DELETE', `sessions/${name}`);
  return mine.size;
}

/** Looks every 50 ms which trainer processes there are below a folder, and on which GPU. */
function watchGpus(outputs: string, tell: (words: string) => void) {
  /** What is known of a process, by PID and start: null when it is not one of ours. */
  const known = new Map<string, { pid: number; gpus: string[]; attempt: string } | null>();
  let trainers: { pid: number; gpus: string[]; attempt: string }[] = [];
  const timer = setInterval(() => {
    trainers = readdirSync('/proc').flatMap((entry) => {
      if (!/^\d+$/.test(entry)) return [];
      const stat = read(entry, 'stat');
      const key = `${entry} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
      const before = known.get(key);
      // A process that was forked a moment ago becomes another program.
      if (before === undefined) known.set(key, null);
      if (before) return isAlive(before.pid) ? [before] : [];
      const line = read(entry, 'cmdline');
      if (before === null && !line.includes(outputs)) return [];
      if (line.includes('runner.py') || !line.includes(`--output_dir=${outputs}`)) return [];
      const environment = read(entry, 'environ').split('\0');
      const of = (name: string) =>
        environment.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      const one = { pid: Number(entry), gpus: of('CUDA_VISIBLE_DEVICES').split(','), attempt: of('TRACKSIDE_ATTEMPT') };
      known.set(key, one);
      return isAlive(one.pid) ? [one] : [];
    });
    for (const gpu of new Set(trainers.flatMap(({ gpus }) => gpus))) {
      const attempts = new Set(trainers.filter(({ gpus }) => gpus.includes(gpu)).map(({ attempt }) => attempt));
      if (attempts.size > 1) tell(`GPU ${gpu || 'none'}: ${[...attempts].join(' and ')}`);
    }
  }, 50);
  return { trainers: () => trainers.map(({ pid }) => pid), end: () => clearInterval(timer) };
}

function read(entry: string, file: string): string {
  try {
    return readFileSync(join('/proc', entry, file), 'utf8');
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself meanwhile.
  }
}

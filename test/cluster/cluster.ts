import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../sidecar.js';
import { clusterFiles } from './clusterFiles.js';

/** A real Slurm of several nodes on this machine: munged, slurmctld and a slurmd a node, in one folder. */
export type TestCluster = {
  /** What a sidecar is served with: `place.serve(cluster.environment)`. */
  environment: { SLURM_CONF: string; TRACKSIDE_LAUNCHER: string };
  folder: string;
  nodes: readonly string[];
  /** A client command, such as `squeue -h`; resolves with what it printed. */
  run(command: string, ...rest: string[]): Promise<string>;
  /** `saved` resolves once it has written down all that it knows now: killed before, it forgets what is some seconds old. */
  controller: Daemon & { saved(): Promise<void> };
  node(name: string): Node;
  /** Ends all daemons and jobs by their PIDs, and removes the files. */
  leave(): Promise<void>;
};

export type Daemon = {
  pid(): number;
  isRunning(): boolean;
  ended(): Promise<unknown>;
  /** Resolves once the process is gone. SIGKILL leaves the jobs running, as a crash would. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves once it answers again; the node may still be busy or drained. */
  start(): Promise<void>;
};

export type Node = Daemon & {
  /** Resolves once the controller knows that it is there. */
  isUp(): Promise<void>;
  /** Ends slurmd, slurmstepd and all processes of its jobs at once. */
  cutPower(): Promise<void>;
  drain(): Promise<void>;
  resume(): Promise<void>;
};

export type ClusterOptions = {
  nodes?: number;
  /** Seconds until an ended job is forgotten (MinJobAge). */
  minJobAge?: number;
  /** Seconds from SIGTERM to SIGKILL (KillWait). */
  killWait?: number;
  /** Seconds until a silent node is down (SlurmdTimeout). */
  slurmdTimeout?: number;
  /** Further lines of slurm.conf. */
  lines?: string[];
};

const PACKAGES = 'slurmctld slurmd slurm-client munge';
const SYSTEM_PATH = [process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(':');
const execute = promisify(execFile);

/** For `describe.skipIf`: true, with a printed line, where Slurm is not installed. */
export function lacksSlurm(): boolean {
  const has = (command: string) =>
    spawnSync('sh', ['-c', `command -v ${command}`], { env: { PATH: SYSTEM_PATH } }).status === 0;
  const missing = ['slurmctld', 'slurmd', 'munged', 'sbatch', 'setpriv'].filter((command) => !has(command));
  if (missing.length > 0) console.log(`Skipped: no ${missing.join(', ')}; apt-get install ${PACKAGES} gives them.`);
  return missing.length > 0;
}

/**
 * Starts a cluster that is idle; two of them may run side by side. Tries again where somebody took one of its ports meanwhile.
 * Fails with the daemons' logs.
 */
export async function startCluster(options: ClusterOptions = {}, tries = 3): Promise<TestCluster> {
  const folder = mkdtempSync(join(shortTemporaryFolder(), 'ts-slurm-'));
  const names = Array.from({ length: options.nodes ?? 3 }, (_, index) => `n${index + 1}`);
  const conf = await writeFiles(folder, names, options);
  const environment = { ...withoutSlurm(process.env), SLURM_CONF: conf };
  const run = async (command: string, ...rest: string[]) =>
    (await execute(command, rest, { env: environment, timeout: 60_000 })).stdout;
  const munge = startDaemon(folder, environment, () => mungeCommand(folder));
  const slurmctld = startDaemon(folder, environment, () => ['slurmctld', '-D', '-f', conf]);
  const nodes = new Map(names.map((name) => [name, makeNode({ folder, environment, run }, name)]));
  const leave = async () => {
    for (const each of [slurmctld, ...nodes.values()]) await each.kill();
    for (const each of nodes.values()) await each.cutPower();
    await munge.kill();
    await endAll(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const saved = async () => {
    const [file, now] = [join(folder, 'state/job_state'), Date.now()];
    // It writes what changed after 5 s, and nothing where nothing changed.
    const isOver = () => Date.now() - now > 6000 || (existsSync(file) && statSync(file).mtimeMs > now);
    await until(isOver, Boolean, 10);
  };
  const controller = {
    ...slurmctld,
    saved,
    async start() {
      await slurmctld.start();
      await until(() => isDone(run('scontrol', 'ping')), Boolean, 30);
      // Until it has heard of a node it knows nothing of it, and can't resume it.
      for (const node of nodes.values()) if (node.isRunning()) await node.isUp();
    },
  };
  try {
    await munge.start();
    await until(() => existsSync(join(folder, 'run/munge.sock')), Boolean);
    await controller.start();
    await Promise.all([...nodes.values()].map((each) => each.start()));
  } catch (error) {
    const logs = readdirSync(join(folder, 'log')).map((name) =>
      readFileSync(join(folder, 'log', name), 'utf8').slice(-2000),
    );
    await leave();
    if (tries > 1 && logs.some((log) => log.includes('Address already in use')))
      return startCluster(options, tries - 1);
    throw new Error(`The cluster did not start: ${error}\n${logs.join('\n')}`);
  }
  return {
    environment: { SLURM_CONF: conf, TRACKSIDE_LAUNCHER: 'auto' },
    ...{ folder, nodes: names, run, leave, controller },
    node(name) {
      const node = nodes.get(name);
      if (!node) throw new Error(`no node ${name}`);
      return node;
    },
  };
}

async function writeFiles(folder: string, nodes: string[], options: ClusterOptions): Promise<string> {
  for (const name of ['state', 'log', 'run', 'dev', ...nodes.map((node) => `spool.${node}`)])
    mkdirSync(join(folder, name));
  for (const name of ['gpu0', 'gpu1']) symlinkSync('/dev/null', join(folder, 'dev', name));
  writeFileSync(join(folder, 'munge.key'), randomBytes(1024), { mode: 0o600 });
  const files = clusterFiles(folder, nodes, await freePorts(nodes.length + 1), options);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, 'slurm.conf');
}

function mungeCommand(folder: string): string[] {
  const files = { 'key-file': 'munge.key', socket: 'run/munge.sock', 'pid-file': 'run/munged.pid' };
  const more = { 'seed-file': 'run/munged.seed', 'log-file': 'log/munged.log' };
  const options = Object.entries({ ...files, ...more }).flatMap(([name, path]) => [`--${name}`, join(folder, path)]);
  return ['munged', '--foreground', '--force', ...options];
}

/** A slurmd, as root in a PID and a UTS namespace: for a sidecar its jobs run on another machine, which is called as the node. */
function makeNode(
  cluster: Pick<TestCluster, 'folder' | 'run'> & { environment: NodeJS.ProcessEnv },
  name: string,
): Node {
  const { folder, environment, run } = cluster;
  const isRoot = process.getuid?.() === 0;
  // The first process of the namespaces, which reaps what loses its parent.
  const boot = [
    'unshare',
    '-upf',
    '--mount-proc',
    '--kill-child',
    'sh',
    '-c',
    `hostname ${name}; sleep infinity & wait`,
  ];
  const machine = startDaemon(folder, environment, () => boot);
  const enter = () => (isRoot ? ['nsenter', '-t', String(childOf(machine.pid())), '-p', '-m', '-u'] : []);
  const conf = join(folder, 'slurm.conf');
  const slurmd = startDaemon(folder, environment, () => [...enter(), 'slurmd', '-D', '-f', conf, '-N', name]);
  const state = async () => (await run('sinfo', '-h', '-n', name, '-o', '%T')).split('\n')[0] ?? '';
  const isUp = () =>
    until(
      () => state().catch(String),
      (found) => /^(idle|mixed|alloc|drain|compl)[a-z]*$/.test(found),
      30,
    ).then(nothing);
  const update = (...words: string[]) => run('scontrol', 'update', `nodename=${name}`, ...words);
  return {
    pid: () => (isRoot ? childOf(slurmd.pid()) : slurmd.pid()) ?? 0,
    async start() {
      if (isRoot && !machine.isRunning()) {
        await machine.start();
        await until(
          () => childOf(machine.pid()),
          (pid) => pid !== null && uts(pid) !== uts(process.pid),
        );
      }
      await slurmd.start();
      await isUp();
    },
    isUp,
    async kill(signal = 'SIGKILL') {
      const pid = this.pid();
      if (!slurmd.isRunning() || pid === 0) return;
      process.kill(pid, signal);
      await slurmd.ended();
    },
    isRunning: slurmd.isRunning,
    ended: slurmd.ended,
    async cutPower() {
      await machine.kill();
      await slurmd.kill();
      await endAll(folder, (pid) => inEnvironment(pid, `SLURMD_NODENAME=${name}`));
    },
    drain: () => update('state=drain', 'reason=test').then(nothing),
    resume: () => update('state=resume').then(nothing),
  };
}

function nothing(): void {}

function uts(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/uts`);
}

function childOf(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]) || null;
  } catch {
    return null;
  }
}

async function isDone(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

/** Ends with this process, however that ends: no daemon outlives a test run that was killed. */
function startDaemon(folder: string, environment: NodeJS.ProcessEnv, command: () => string[]): Daemon {
  let child: ChildProcess | null = null;
  let end: Promise<unknown> = Promise.resolve();
  const isRunning = () => child !== null && child.exitCode === null && child.signalCode === null;
  return {
    pid: () => child?.pid ?? 0,
    isRunning,
    ended: () => end,
    async start() {
      const started = spawn('setpriv', ['--pdeathsig', 'KILL', ...command()], {
        env: { ...environment, PATH: SYSTEM_PATH },
        cwd: folder,
        stdio: 'ignore',
      });
      child = started;
      end = new Promise((resolve) => started.once('exit', resolve));
      await new Promise((resolve, reject) => started.once('spawn', resolve).once('error', reject));
    },
    async kill(signal = 'SIGKILL') {
      if (!isRunning()) return;
      child?.kill(signal);
      await end;
    },
  };
}

/** SIGKILL to what Slurm started in this cluster, until nothing is left. */
async function endAll(folder: string, which = (_: number) => true): Promise<void> {
  const left = () => processesOf(folder).filter(which);
  await until(
    () => {
      for (const pid of left()) tryKill(pid);
      return left().length;
    },
    (count) => count === 0,
  );
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

/** PIDs of slurmstepd and of jobs: they have files of the cluster open, or its configuration in their environment. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(Number)
    .filter((pid) => inEnvironment(pid, `SLURM_CONF=${join(folder, 'slurm.conf')}`) || hasOpen(pid, folder));
}

function inEnvironment(pid: number, entry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(entry);
  } catch {
    return false;
  }
}

function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(path));
  } catch {
    return false;
  }
}

/** A test run inside a job leaves that job's variables out: Slurm's commands obey them. */
function withoutSlurm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSlurm = (name: string) => /^(SLURM|SBATCH|SRUN|SALLOC|SQUEUE|SINFO|SCONTROL)_/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isSlurm(name)));
}

/** A socket's path has at most 107 bytes. */
function shortTemporaryFolder(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}

/** Ports below those that the kernel gives to connections, each free right now. */
async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    // Slurm listens at every address.
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

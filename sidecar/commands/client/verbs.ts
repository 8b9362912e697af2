import type { Command } from 'commander';
import type { Settings } from '../../settings.js';
import type { BeginFlags, StopFlags } from './attempts.js';
import type { Door, DoorFlags } from './door.js';
import { EXIT, EXIT_HELP, Refusal } from './exitCodes.js';
import type { LogFlags } from './logs.js';
import type { PurgeFlags } from './purge.js';
import type { ListFlags } from './sessions.js';

/** As commander gives them: a verb has some of them. */
type Flags = { outputs?: string } & DoorFlags &
  ListFlags &
  LogFlags &
  BeginFlags &
  StopFlags &
  PurgeFlags & { hub?: boolean; nodes?: boolean; output?: string };
type Work = (door: Door, name: string, flags: Flags, names: readonly string[]) => Promise<void>;

/** Adds the verbs that ask and change sessions, with or without a sidecar. What each does is loaded when it is used. */
export function addClientVerbs(program: Command, environment: NodeJS.ProcessEnv): void {
  const verb = (usage: string, words: string, work: Work) => addVerb(program, environment, { usage, words, work });

  verb('ps [search]', 'List sessions: running first, then newest.', async (door, search, flags) => {
    const { listSessions } = await import('./sessions.js');
    return listSessions(door, search, flags);
  })
    .option('-a, --all', 'all of them, not only those that fit on a screen')
    .option('--active', 'only those that run, or wait for you')
    .option('-w, --watch', 'draw the list again every second; with --json a line a change');

  verb('show <session>', 'Show one session: status, files, attempts, and what to do next.', async (door, name, flags) =>
    (await import('./sessions.js')).showSession(door, name, flags),
  );

  verb('logs <session>', 'Print the log of a session.', async (door, name, flags) =>
    (await import('./logs.js')).printLog(door, name, flags),
  )
    .option('-f, --follow', 'go on printing until the training has ended')
    .option('-n, --tail <lines>', 'lines from the end, or all', '100')
    .option('--attempt <number>', 'only the part of this attempt');

  verb('start <session>', 'Start a draft; or start over.', async (door, name, flags) =>
    (await import('./attempts.js')).begin(door, name, flags.over ? 'relaunch' : 'start', flags),
  )
    .option('--over', 'start over; what that would overwrite is moved to earlier/')
    .option('--gpus <numbers>', 'the GPUs, such as 0 or 0,1')
    .option('--queue', 'wait for a GPU that is in use');

  verb('stop <session>', 'Stop a training, and wait until it has ended.', async (door, name, flags) =>
    (await import('./attempts.js')).stop(door, name, flags),
  )
    .option('--after-save', 'only once it has saved its next state')
    .option('--cancel', 'take back a stop after the next save')
    .option('--by-hand', 'also if it was started in a terminal, from where it can’t be resumed')
    .option('--no-wait', 'don’t wait for the end (against a sidecar)');

  verb(
    'resume <session>',
    'Resume from the newest complete state, or train a completed session further.',
    async (door, name, flags) => (await import('./attempts.js')).begin(door, name, 'resume', flags),
  )
    .option('--state <folder>', 'another state (trackside states lists them)')
    .option('--epochs <number>', 'the epochs in all, to train further')
    .option('--gpus <numbers>', 'the GPUs, such as 0 or 0,1')
    .option('--queue', 'wait for a GPU that is in use');

  verb(
    'relaunch <session>',
    'Make the next version with exactly the same settings, and start it.',
    async (door, name, flags) => (await import('./attempts.js')).relaunch(door, name, flags),
  )
    .option('--draft', 'only make it; trackside start starts it')
    .option('--gpus <numbers>', 'the GPUs, such as 0 or 0,1')
    .option('--queue', 'wait for a GPU that is in use');

  verb('states <session>', 'List the states that a session can be resumed from.', async (door, name, flags) =>
    (await import('./sessions.js')).listStates(door, name, flags),
  );

  verb(
    'queue [action] [session]',
    'List what waits for a GPU; add, remove, hold, release, or move up, down, first, last.',
    async (door, _, flags, asked) => (await import('./queue.js')).queue(door, asked, flags),
  );

  verb(
    'compare <sessions...>',
    'Compare sessions: how far they got, and which settings differ.',
    async (door, _, flags, names) => (await import('./compare.js')).compare(door, names, flags),
  );

  verb('export <session>', 'Print a session as the file that another Trackside imports.', async (door, name, flags) =>
    (await import('./exchange.js')).exportSession(door, name, flags),
  ).option('-o, --output <file>', 'write it into this file');

  verb('import <file>', 'Make a session from an exported file.', async (door, file, flags) =>
    (await import('./exchange.js')).importSession(door, file, flags),
  );

  verb('doctor', 'Look for what often goes wrong on pods, and say what to do about it.', async (door, _, flags) =>
    (await import('./doctor.js')).doctor(door, flags),
  )
    .option('--hub', 'also ask the model hub')
    .option('--nodes', 'also run a job of some seconds on the cluster: does a node see our files, Python and clock?');

  addPurge(verb);
}

function addPurge(verb: (usage: string, words: string, work: Work) => Command): void {
  verb(
    'purge [session]',
    'Remove what trainings leave behind: old states, samples, logs, caches, trash. Weights stay.',
    async (door, name, flags) => (await import('./purge.js')).purge(door, name, flags),
  )
    .option('--days <number>', 'what is older goes (TRAINING_RETENTION_DAYS; default 30; of one session: 0)')
    .option('--dry-run', 'only say what would go, and why');
}

type Verb = { usage: string; words: string; work: Work };

function addVerb(program: Command, environment: NodeJS.ProcessEnv, { usage, words, work }: Verb): Command {
  return program
    .command(usage)
    .description(words)
    .option('--json', 'print what the API answers, as JSON')
    .option('--outputs <folder>', 'where sessions are kept (TRACKSIDE_OUTPUTS; default outputs)')
    .option('--url <address>', 'ask the sidecar at this address, which may hold its token')
    .option('--token <token>', 'its access token (TRACKSIDE_TOKEN)')
    .option('--files', 'use the state files alone, even if a sidecar serves them')
    .showHelpAfterError(`trackside ${usage.split(' ')[0]} --help says more.`)
    .addHelpText('after', EXIT_HELP)
    .action((...given: unknown[]) => {
      const command = given.at(-1) as Command;
      return run(environment, command.args, command.opts<Flags>(), work);
    });
}

async function run(environment: NodeJS.ProcessEnv, names: string[], flags: Flags, work: Work): Promise<void> {
  let code: number = EXIT.done;
  // A reader such as `head` that has seen enough.
  process.stdout.on('error', () => process.exit(EXIT.done));
  try {
    const [{ openDoor }, { readSettings }] = await Promise.all([import('./door.js'), import('../../settings.js')]);
    const settings: Settings = readSettings({ outputs: flags.outputs, token: flags.token }, environment);
    const door = await openDoor(settings, flags);
    try {
      await work(door, names[0] ?? '', flags, names);
    } finally {
      await door.close();
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    code = error.exit;
    if (flags.json && error.answer) process.stdout.write(`${JSON.stringify(error.answer, null, 2)}\n`);
    process.stderr.write(`trackside: ${error.message}\n`);
  }
  // Background work of the app in this process would keep it alive.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

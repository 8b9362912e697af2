import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ifMissing, ifUnreadable } from '../caught.js';
import { readText } from '../files/regularFile.js';
import { runClient } from '../launchers/slurm/commands.js';
import { readOffers } from '../launchers/slurm/offers.js';
import { resolvePython } from '../processes/python.js';
import { shellWord } from '../processes/shellWord.js';
import type { Settings } from '../settings.js';
import { type Check, error, ok, warning } from './check.js';

/** Seconds that a job may wait for a node, and run. */
const PATIENCE = 60;
const LOOK_MS = 250;
/** Seconds. */
const MOST_SKEW = 5;
/** Bytes. */
const LARGEST_ANSWER = 10_000;
/** Of a cluster with dozens of partitions, the first ones. */
const MOST_PARTITIONS = 5;

/** A job of some seconds in each partition: does its node see a file that was written here, and the same Python and clock? */
export async function checkNodes({ outputs, python }: Settings): Promise<Check[]> {
  const { queues } = await readOffers();
  const folder = join(outputs, `.trackside-doctor-${randomBytes(4).toString('hex')}`);
  const interpreter = await resolvePython(python).catch(ifUnreadable(python, 'doctor'));
  const words = randomBytes(8).toString('hex');
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(join(folder, 'written-here'), words);
    const names = queues.slice(0, MOST_PARTITIONS).map(({ name }) => name);
    return (
      await Promise.all(names.map((name) => checkPartition(name, { folder, python: interpreter, words })))
    ).flat();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Probe = { folder: string; python: string; words: string };

async function checkPartition(queue: string, probe: Probe): Promise<Check[]> {
  const about = `a node of ${queue} sees the outputs`;
  const script = join(probe.folder, `${queue}.sh`);
  await writeFile(script, scriptOf(queue, probe));
  const options = ['--parsable', '--no-requeue', '--export=NONE', `--partition=${queue}`, '--nodes=1', '--time=1'];
  const submitted = await runClient('sbatch', [...options, '--job-name=ts-doctor', '--output=/dev/null', script]);
  if (submitted.code !== 0) {
    const said = submitted.err.replaceAll(/^sbatch: (?:error: )?/gm, '').trim();
    return [
      warning(
        about,
        `Its job was refused: ${said.split('\n')[0] || 'no answer'}`,
        'Choose another partition in the form.',
      ),
    ];
  }
  const job = submitted.out.trim().split(';')[0] ?? '';
  const printed = await answerOf(job, join(probe.folder, `${queue}.answer`));
  if ('waits' in printed) {
    await runClient('scancel', [job], { patience: 10 });
    const todo = 'Ask again when a node is free.';
    return [warning(about, `No node took the job within ${PATIENCE} s (${printed.waits}).`, todo)];
  }
  return printed.text === null ? [unseen(about, probe)] : told(about, queue, printed.text, probe);
}

/** Each line is one fact. The answer is whole once it has its name. */
function scriptOf(queue: string, { folder, python }: Probe): string {
  const answer = shellWord(join(folder, `${queue}.answer`));
  return [
    '#!/bin/sh',
    `{ hostname; date +%s; cat ${shellWord(join(folder, 'written-here'))} || echo; echo`,
    `${shellWord(python)} -c 'import sys; print("%d.%d" % sys.version_info[:2])'; } > ${answer}.new 2>&1`,
    `mv ${answer}.new ${answer}`,
    '',
  ].join('\n');
}

/** What the job wrote; null where it ended without a word that we can see. */
async function answerOf(job: string, path: string): Promise<{ text: string | null } | { waits: string }> {
  const end = performance.now() + PATIENCE * 1000;
  for (;;) {
    const text = await readText(path, LARGEST_ANSWER).catch(ifMissing(null));
    if (text !== null) return { text };
    const { out } = await runClient('squeue', ['-h', '-t', 'all', '-j', job, '-o', '%T|%r']);
    const [state = '', reason = ''] = out.trim().split('|');
    if (/^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$/.test(state)) {
      // A network volume shows a file some seconds late.
      await wait(LOOK_MS * 8);
      return { text: await readText(path, LARGEST_ANSWER).catch(ifMissing(null)) };
    }
    if (performance.now() > end) return { waits: reason || state || 'unknown' };
    await wait(LOOK_MS);
  }
}

function unseen(about: string, { folder }: Probe): Check {
  return error(
    about,
    `The job ran, but what it wrote into ${folder} is not here: its node does not see that folder.`,
    'Mount the same disk at the same path on this machine and on every node, and use it for outputs, datasets, models and the trainer.',
  );
}

function told(about: string, queue: string, text: string, { python, words }: Probe): Check[] {
  const [host = '', seconds = '', read = '', version = ''] = text.split('\n');
  const seen =
    read === words
      ? ok(about, `${host} read a file that was written here, and we read its answer`)
      : error(
          about,
          `${host} can’t read what is written here.`,
          'Give the user who runs the jobs read access to the outputs.',
        );
  const skew = Math.round(Number(seconds) - Date.now() / 1000);
  const clock =
    Math.abs(skew) <= MOST_SKEW
      ? ok(`clock of ${host}`, 'as here')
      : warning(
          `clock of ${host}`,
          `It is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine.`,
          'Set one of the clocks (chrony, ntpd): the order of files depends on them.',
        );
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const found =
    major === 3 && minor >= 10
      ? ok(`python on ${host}`, `${python} is ${version}`)
      : error(
          `python on ${host}`,
          `${python} does not run on a node of ${queue}: ${version || 'it said nothing'}`,
          'Use a Python 3.10 or newer on the shared disk, at the same path: TRACKSIDE_PYTHON=/shared/venv/bin/python.',
        );
  return [seen, clock, found];
}

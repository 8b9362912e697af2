import { describe, expect, test } from 'vitest';
import { withoutSlurm } from '../../../sidecar/launchers/slurm/commands.js';
import { jobName, optionsOf, refuseFurther } from '../../../sidecar/launchers/slurm/options.js';
import {
  endedLook,
  expandHosts,
  placeOf,
  readAccount,
  readJob,
  readQueue,
  reasonInWords,
  secondsOf,
} from '../../../sidecar/launchers/slurm/parse.js';
import { scriptOf } from '../../../sidecar/launchers/slurm/submit.js';
import { shellWord } from '../../../sidecar/processes/shellWord.js';

const HELD = [74, 75];

/** `scontrol -o show job` of Slurm 22.05, in the parts that are read. */
const job = (fields: Record<string, string>) =>
  Object.entries({
    JobId: '3',
    JobName: 'ts-a',
    UserId: 'root(0)',
    JobState: 'COMPLETED',
    Reason: 'None',
    ExitCode: '0:0',
    RunTime: '00:00:20',
    TimeLimit: '01:00:00',
    StartTime: '1700000000',
    EndTime: '1700000020',
    PreemptEligibleTime: '1700000000',
    PreemptTime: 'None',
    NodeList: 'n1',
    Comment: 'a=b JobState=RUNNING',
    ...fields,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

test.each([
  ['exit 0', { JobState: 'COMPLETED' }, 'by itself', 0, null],
  ['exit 3', { JobState: 'FAILED', Reason: 'NonZeroExitCode', ExitCode: '3:0' }, 'by itself', 3, null],
  ['killed', { JobState: 'FAILED', Reason: 'JobLaunchFailure', ExitCode: '0:9' }, 'by itself', 0, 'SIGKILL'],
  ['no folder there', { JobState: 'FAILED', Reason: 'JobLaunchFailure', ExitCode: '0:53' }, 'never started', 0, null],
  ['folder held', { JobState: 'FAILED', Reason: 'NonZeroExitCode', ExitCode: '75:0' }, 'never started', 75, null],
  ['no such node', { JobState: 'FAILED', Reason: 'BadConstraints', NodeList: '(null)' }, 'never started', 0, null],
  ['out of memory', { JobState: 'OUT_OF_MEMORY', Reason: 'OutOfMemory', ExitCode: '0:125' }, 'out of memory', 0, null],
  ['time limit', { JobState: 'TIMEOUT', Reason: 'TimeLimit', ExitCode: '0:9' }, 'time limit', 0, 'SIGKILL'],
  ['scancel', { JobState: 'CANCELLED', ExitCode: '0:15' }, 'cancelled', 0, 'SIGTERM'],
  ['preempted', { JobState: 'PREEMPTED', PreemptTime: '1700000010', ExitCode: '0:9' }, 'preempted', 0, 'SIGKILL'],
  ['obeyed a preemption', { JobState: 'COMPLETED', PreemptTime: '1700000010' }, 'preempted', 0, null],
  ['node silent', { JobState: 'NODE_FAIL', Reason: 'NodeDown' }, 'node lost', 0, null],
])('an ended job: %s', (_, fields, how, exitCode, signal) => {
  const end = readJob(job(fields));
  expect(end && endedLook(end, '', HELD)).toMatchObject({ phase: 'ended', how, exitCode, signal });
});

test('a job that ended when its time was as good as over says so', () => {
  const ended = (seconds: number, limit: string) =>
    readJob(job({ TimeLimit: limit, EndTime: String(1_700_000_000 + seconds) }))?.atLimit;
  expect([ended(3450, '01:00:00'), ended(3000, '01:00:00'), ended(25, '00:01:00'), ended(80, '00:03:00')]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(ended(1e7, 'UNLIMITED')).toBe(false);
});

test.each([
  ['3', 180],
  ['05:30', 330],
  ['01:00:00', 3600],
  ['1-02:03:04', 93_784],
  ['2-12', 216_000],
  ['UNLIMITED', null],
])('a time limit of %s', (limit, seconds) => expect(secondsOf(limit)).toBe(seconds));

test('the queue is read with any name of others, and moments in UTC', () => {
  const lines = readQueue(
    '12|PENDING|Priority||1700000000|N/A|main|90|ts-b\n13|RUNNING|None|n[1-2]|1700000000|1700003600|main|100|a | b "c"\n\nnonsense\n',
  );
  expect(lines).toMatchObject([
    { id: '12', state: 'PENDING', reason: 'Priority', hosts: [], startsAt: '2023-11-14T22:13:20.000Z', endsAt: null },
    { id: '13', hosts: ['n1', 'n2'], endsAt: '2023-11-14T23:13:20.000Z', name: 'a | b "c"' },
  ]);
});

test('the place in the queue counts those before it in its own partition', () => {
  const lines = readQueue(
    ['1|a|90', '2|a|100', '3|b|200', '4|a|90']
      .map((each) => {
        const [id, partition, priority] = each.split('|');
        return `${id}|PENDING|Priority||N/A|N/A|${partition}|${priority}|x`;
      })
      .join('\n'),
  );
  expect(lines.map((line) => placeOf(line, lines))).toEqual([2, 1, 1, 3]);
});

test.each([
  ['n1', ['n1']],
  ['n[1-3,07],m', ['n1', 'n2', 'n3', 'n07', 'm']],
  ['a1,b[08-10]-x', ['a1', 'b08-x', 'b09-x', 'b10-x']],
  ['(null)', []],
  ['', []],
])('the nodes %s', (list, hosts) => expect(expandHosts(list)).toEqual(hosts));

test('accounting knows a job that the controller has forgotten', () => {
  const printed = '11|FAILED|3:0|NonZeroExitCode|n1\n12|CANCELLED by 1000|0:15|None|n[1-2]\n';
  expect(readAccount(printed, '12')).toMatchObject({ state: 'CANCELLED', signal: 15, hosts: ['n1', 'n2'] });
  expect(readAccount(printed, '1')).toBeNull();
});

test.each([
  ['Resources', 'It waits until a node has what it asks for (Resources).'],
  ['None', 'It waits for its turn.'],
  [
    'QOSMaxWallDurationPerJobLimit',
    'It asks for more than you are ever given (QOSMaxWallDurationPerJobLimit). Stop it, and ask for less.',
  ],
  ['ReqNodeNotAvail, UnavailableNodes:n3', /down, drained or reserved/],
  ['SomethingNew', 'Slurm says: SomethingNew.'],
])('why it waits: %s', (reason, words) => {
  if (words instanceof RegExp) expect(reasonInWords(reason)).toMatch(words);
  else expect(reasonInWords(reason)).toBe(words);
});

const order = (folder: string) => ({
  attempt: { id: 'A1b2_c', number: 3, kind: 'resume' as const },
  folder,
  cwd: '/it’s here',
  argv: ['python3', 'train.py', '--name=$(id) `x` "y"', "o'clock", 'two\nlines'],
  environment: {},
  python: 'python3',
  moves: [{ from: 'a.safetensors', to: 'earlier/attempt-2/a.safetensors' }],
  wants: {
    ...{ gpus: 2, gpuType: 'a100', nodes: 1, cpus: 4, memoryMiB: 8000, minutes: 60, queue: 'main' },
    ...{ account: 'lab', qos: 'high', constraint: 'ib', further: ['--exclude=n1'] },
  },
});

test('options: never requeued, a name that misleads nobody, and % in a folder means itself', () => {
  expect(jobName('A1b2_c')).toBe('ts-a1b2-c');
  expect(optionsOf(order('/out/50% cat'))).toEqual([
    ...['--parsable', '--no-requeue', '--propagate=NONE', '--export=ALL', '--job-name=ts-a1b2-c'],
    ...['--chdir=/out/50% cat', '--output=/out/50%% cat/slurm-%j.out', '--open-mode=append'],
    ...['--nodes=1', '--ntasks-per-node=1', '--signal=B:TERM@90', '--gres=gpu:a100:2', '--cpus-per-task=4'],
    ...['--mem=8000M', '--time=60', '--partition=main', '--account=lab', '--qos=high', '--constraint=ib'],
    '--exclude=n1',
  ]);
  expect(optionsOf({ ...order('/out'), wants: { ...order('').wants, minutes: 1 } })).toContain('--signal=B:TERM@30');
});

test('the script runs exactly these words, whatever is in them', async () => {
  const { execFileSync } = await import('node:child_process');
  const words = ['plain', "o'clock", '$(id) `x` "y"', 'two\nlines', '50%', '\\', '*'];
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' });
  expect(printed.split('\0').slice(0, -1)).toEqual(words);
  const script = scriptOf(order('/out/cat'), '/usr/bin/python3', 5);
  expect(script).toMatch(/^#!\/bin\/sh\n# Attempt 3, as its job runs it\.\nexec \/usr\/bin\/python3 -I -S /);
  expect(script).toContain(' --stop-grace 2 --move a.safetensors earlier/attempt-2/a.safetensors -- python3 train.py ');
  expect(scriptOf(order('/out/cat'), 'python3', 30)).not.toContain('--stop-grace');
});

describe('further options', () => {
  test.each(['--exclusive', '--exclude=n1,n2', '--reservation=course', '--nodelist=n3', '--hold'])('%s may', (word) =>
    expect(() => refuseFurther([word])).not.toThrow(),
  );
  test.each([
    '--requeue',
    '-J',
    '--wrap=rm',
    '--export=ALL',
    '--output=x',
    '--uid=0',
    '--array=1-9',
    'n1',
    '--get-user-env',
  ])('%s may not', (word) => expect(() => refuseFurther(['--exclusive', word])).toThrow(/can't be added/));
});

test('clients do not see what an outer job or a shell says', () => {
  const outer = { SLURM_CONF: '/c', SLURM_JOB_ID: '1', SBATCH_PARTITION: 'x', SQUEUE_FORMAT: 'y', PATH: '/bin' };
  expect(withoutSlurm(outer)).toEqual({ SLURM_CONF: '/c', PATH: '/bin' });
});

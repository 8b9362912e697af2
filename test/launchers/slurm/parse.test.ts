import { describe, expect, test } from 'vitest';
import { withoutSlurm } from '../../../sidecar/launchers/slurm/commands.js';
import { endedLook, readAccount, readJob } from '../../../sidecar/launchers/slurm/ends.js';
import { readHandLines } from '../../../sidecar/launchers/slurm/handLines.js';
import { jobName, optionsOf, refuseFurther } from '../../../sidecar/launchers/slurm/options.js';
import { expandHosts, placeOf, readQueue, reasonInWords, secondsOf } from '../../../sidecar/launchers/slurm/parse.js';
import { scriptOf } from '../../../sidecar/launchers/slurm/submit.js';
import { shellWord } from '../../../sidecar/processes/shellWord.js';

const CODES = { unwritable: 74, held: 75 };

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
  expect(end && endedLook(end, { words: '', memory: false }, CODES)).toMatchObject({
    phase: 'ended',
    how,
    exitCode,
    signal,
  });
});

test('a job whose runner found a full disk says so, though its output could hold no word', () => {
  const end = readJob(job({ JobState: 'FAILED', Reason: 'NonZeroExitCode', ExitCode: '74:0' }));
  expect(end && endedLook(end, { words: '', memory: false }, CODES)).toMatchObject({
    how: 'never started',
    words: expect.stringContaining('the disk is full'),
  });
});

test('a job that Slurm killed for its memory is told as that, whatever its state is called', () => {
  const how = (fields: Record<string, string>, memory: boolean) => {
    const end = readJob(job(fields));
    return end && endedLook(end, { words: '', memory }, CODES);
  };
  const killed = { JobState: 'FAILED', Reason: 'JobLaunchFailure', ExitCode: '0:9' };
  expect(how(killed, true)).toMatchObject({ how: 'out of memory' });
  expect(how({ JobState: 'CANCELLED', ExitCode: '0:9' }, true)).toMatchObject({ how: 'out of memory' });
  expect(how(killed, false)).toMatchObject({ how: 'by itself' });
  expect(how({ JobState: 'COMPLETED' }, true)).toMatchObject({ how: 'by itself' });
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
  const printed =
    '11|FAILED|3:0|NonZeroExitCode|n1|ts-a\n12|CANCELLED by 1000|0:15|None|n[1-2]|ts-b\n12|COMPLETED|0:0|None|n3|another\n';
  expect(readAccount(printed, '12', 'ts-b')).toMatchObject({ state: 'CANCELLED', signal: 15, hosts: ['n1', 'n2'] });
  expect(readAccount(printed, '1', 'ts-b')).toBeNull();
  // A controller that lost its state counts from 1 again.
  expect(readAccount(printed, '11', 'ts-b')).toBeNull();
});

const ours = 'ts-0f3c6f0a-1b2c-4d5e-8f90-a1b2c3d4e5f6';

test.each([
  ['as it is', `12|PENDING|Priority||1700000000|N/A|main|90|${ours}`, { state: 'PENDING', reason: 'Priority' }],
  ['a field is missing', `12|PENDING|Priority||N/A|main|90|${ours}`, { state: 'PENDING', reason: '', priority: 0 }],
  ['a field more', `12|RUNNING|None|n1|0|0|main|90|new|${ours}`, { state: 'RUNNING', hosts: [], reason: '' }],
  ['a reason with a bar', `12|PENDING|a|b||0|0|main|90|${ours}`, { state: 'PENDING', reason: '' }],
  ['padded', `  12 | RUNNING |None| n1 |N/A|N/A|main|1|${ours}  `, { state: 'RUNNING', hosts: ['n1'] }],
  ['null', `12|PENDING|(null)|(null)|N/A|Unknown|main|(null)|${ours}`, { reason: '', hosts: [], priority: 0 }],
  ['a short line', `12|RUNNING|${ours}`, { state: 'RUNNING' }],
])('a line of the queue stays the line of its job: %s', (_, line, found) => {
  expect(readQueue(`JOBID|STATE|REASON|NODELIST|START|END|PARTITION|PRIORITY|NAME\n${line}\n`)).toMatchObject([
    { id: '12', name: ours, ...found },
  ]);
});

/** Of other releases of Slurm: 21.08, 23.11, 25.11 with a comma between flags or none, and fields that came and went. */
test.each([
  ['(null)', { Reason: '(null)', PreemptTime: '(null)' }, { reason: '', preempted: false }],
  ['no PreemptTime', { PreemptTime: 'Unknown' }, { preempted: false }],
  ['a node that failed', { FailedNode: 'n2', Reason: 'NodeDown' }, { reason: 'NodeDown', hosts: ['n1'] }],
  ['a limit of its partition', { TimeLimit: 'Partition_Limit' }, { atLimit: false }],
  ['no end yet', { EndTime: 'Unknown' }, { atLimit: false }],
  ['a submit line', { SubmitLine: 'sbatch --comment JobState=RUNNING ExitCode=9:9' }, { exitCode: 0 }],
  ['flags with commas', { GresEnforceBind: 'No,KillOInInvalidDependent=Yes,' }, { state: 'COMPLETED' }],
  ['no exit code', { ExitCode: '(null)' }, { exitCode: 0, signal: 0 }],
])('an ended job of another release: %s', (_, fields, found) => {
  expect(readJob(job(fields))).toMatchObject(found);
});

test('jobs that were submitted by hand are read whatever their names and folders hold; ours, and what is no job, are left out', () => {
  const line = (...values: string[]) => values.join('\x1f');
  const times = ['1700000000', 'N/A'];
  const printed = [
    line('JOBID', 'JOBID', 'STATE', 'SUBMIT', 'START', 'NODELIST', 'REASON', 'WORK_DIR', 'NAME'),
    line('12', '12_[3-5%2]', 'PENDING', ...times, '', 'Priority', '/a | b', 'a | "b"'),
    line('13', '13', 'RUNNING', ...times, 'n1', 'None', '/a', ours),
    line('14', '14+0', 'RUNNING', ...times, 'n[1-2]', 'None', '/a', 'two', 'fields more'),
    'slurm_load_jobs: warning',
  ];
  expect(readHandLines(printed.join('\n'))).toMatchObject([
    { number: '12', id: '12_[3-5%2]', state: 'PENDING', submitted: '1700000000', folder: '/a | b', name: 'a | "b"' },
    { number: '14', id: '14+0', nodes: 'n[1-2]', name: 'two' },
  ]);
});

test.each([
  ['Resources', 'It waits until a node has what it asks for (Resources).'],
  ['None', 'It waits for its turn.'],
  ['JobHeldAdmin', 'An administrator of the cluster holds it (JobHeldAdmin).'],
  [
    'QOSMaxWallDurationPerJobLimit',
    'It asks for more than you are allowed (QOSMaxWallDurationPerJobLimit). Stop it, and ask for less.',
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
    '--clusters=other',
    'n1',
    '--get-user-env',
  ])('%s may not', (word) => expect(() => refuseFurther(['--exclusive', word])).toThrow(/can't be added/));
});

test('clients do not see what an outer job or a shell says', () => {
  const outer = { SLURM_CONF: '/c', SLURM_JOB_ID: '1', SBATCH_PARTITION: 'x', SQUEUE_FORMAT: 'y', PATH: '/bin' };
  expect(withoutSlurm(outer)).toEqual({ SLURM_CONF: '/c', PATH: '/bin' });
});

import { describe, expect, test } from 'vitest';
import { minutesOf, readQueues } from '../../../sidecar/launchers/slurm/offersText.js';

/** As `sinfo -O` prints them: at fixed columns. */
const WIDTHS = [64, 64, 24, 24, 16, 16, 256, 256];
const line = (...values: string[]) => values.map((value, at) => value.padEnd(WIDTHS[at] ?? 0)).join('');

const PARTITIONS = `PartitionName=main AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default=YES QoS=N/A DefaultTime=NONE DisableRootJobs=NO MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 Nodes=n[1-3] State=UP TotalCPUs=6 TotalNodes=3 JobDefaults=(null) TRES=cpu=6,mem=6000M,node=3,billing=6
PartitionName=short AllowGroups=ALL Default=NO DefaultTime=00:10:00 MaxTime=1-00:30:00 Nodes=n1 State=UP TotalNodes=1
PartitionName=old AllowGroups=ALL Default=NO DefaultTime=NONE MaxTime=UNLIMITED Nodes=n9 State=DOWN TotalNodes=1
`;

describe('what a cluster offers, from what Slurm prints', () => {
  const nodes = (...lines: string[]) => readQueues(PARTITIONS, `${lines.join('\n')}\n`)[0]?.nodes ?? [];

  test('partitions with their limits; not those that are down', () => {
    expect(readQueues(PARTITIONS, '').map(({ nodes: _, ...queue }) => queue)).toEqual([
      { name: 'main', isDefault: true, maxMinutes: null, defaultMinutes: null },
      { name: 'short', isDefault: false, maxMinutes: 1470, defaultMinutes: 10 },
    ]);
  });

  test('a node in each of its partitions, the default one with its star', () => {
    const two = readQueues(
      PARTITIONS,
      [
        line('n1', 'main*', 'idle', '0/2/0/2', '2000', '0', 'gpu:2', 'gpu:0'),
        line('n1', 'short', 'idle', '0/2/0/2', '2000', '0', 'gpu:2', 'gpu:0'),
        line('n2', 'main*', 'idle', '0/2/0/2', '2000', '0', 'gpu:2', 'gpu:0'),
      ].join('\n'),
    );
    expect(two.map((queue) => queue.nodes.map(({ name }) => name))).toEqual([['n1', 'n2'], ['n1']]);
  });

  test.each([
    ['gpu:2', 'gpu:0', [{ type: null, total: 2, used: 0 }]],
    ['gpu:2', 'gpu:2', [{ type: null, total: 2, used: 2 }]],
    ['gpu:a100:2', 'gpu:a100:0(IDX:N/A)', [{ type: 'a100', total: 2, used: 0 }]],
    ['gpu:a100:2', 'gpu:a100:2(IDX:0,1)', [{ type: 'a100', total: 2, used: 2 }]],
    [
      'gpu:a100:4(S:0-1),gpu:v100:1(S:1),shard:8',
      'gpu:a100:1(IDX:3),gpu:v100:0(IDX:N/A),shard:0',
      [
        { type: 'a100', total: 4, used: 1 },
        { type: 'v100', total: 1, used: 0 },
      ],
    ],
    ['gpu:2', 'gpu:(null):2(IDX:0-1)', [{ type: null, total: 2, used: 2 }]],
    ['gpu:(null):2', 'gpu:(null):0(IDX:N/A)', [{ type: null, total: 2, used: 0 }]],
    ['(null)', '(null)', []],
    ['gpu:0', '', []],
  ])('GPUs %s of which %s are in use', (gres, used, gpus) => {
    expect(nodes(line('n1', 'main*', 'mixed', '1/1/0/2', '2000', '100', gres, used))[0]?.gpus).toEqual(gpus);
  });

  test.each([
    ['idle', 'free'],
    ['idle~', 'free'],
    ['mixed', 'part'],
    ['mixed-', 'part'],
    ['allocated', 'full'],
    ['completing', 'full'],
    ['idle*', 'down'],
    ['down*', 'down'],
    ['draining', 'down'],
    ['drained', 'down'],
    ['unknown', 'down'],
    ['inval', 'down'],
    ['maint', 'down'],
    ['planned', 'free'],
    ['allocated+', 'full'],
    ['idle$', 'down'],
    ['mixed@', 'down'],
    ['reserved', 'down'],
    ['blocked', 'down'],
    ['powering_up', 'down'],
    ['', 'down'],
  ])('a node that is “%s” counts as %s', (word, state) => {
    expect(nodes(line('n1', 'main*', word, '1/1/0/2', '2000', '100', 'gpu:2', 'gpu:1'))[0]).toMatchObject({
      state,
      word,
    });
  });

  test('processors and memory, total and in use', () => {
    expect(nodes(line('n1', 'main*', 'mixed', '3/4/1/8', '64000', '1024', '(null)', '(null)'))[0]).toMatchObject({
      cpus: { total: 8, used: 3 },
      memoryMiB: { total: 64_000, used: 1024 },
    });
  });

  test('columns that are full have nothing between them', () => {
    const name = 'n'.repeat(64);
    expect(nodes(line(name, 'main*', 'idle', '0/2/0/2', '2000', '0', 'gpu:2', 'gpu:0'))[0]?.name).toBe(name);
  });

  test.each([
    ['UNLIMITED', null],
    ['NONE', null],
    ['365-00:00:00', 525_600],
    ['1-12:30:00', 2190],
    ['2-06', 3240],
    ['02:03:04', 123],
    ['10:30', 10],
    ['90', 90],
    ['', null],
  ])('a limit of %s is %s minutes', (time, minutes) => {
    expect(minutesOf(time)).toBe(minutes);
  });
});

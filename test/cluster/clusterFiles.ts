import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ClusterOptions } from './cluster.js';

/**
 * The configuration of a cluster on one machine, with ticks as quick as Slurm has them. Each node has two CPUs, 2000 MiB and
 * two GPUs (/dev/null); those of the last node are of the type a100. `main` has all nodes, `short` has n1 for a minute.
 */
export function clusterFiles(
  folder: string,
  nodes: readonly string[],
  ports: readonly number[],
  options: ClusterOptions,
) {
  const host = hostname().split('.')[0];
  const isRoot = process.getuid?.() === 0;
  const gpus = (node: string) => (node === nodes.at(-1) && nodes.length > 1 ? 'gpu:a100:2' : 'gpu:2');
  const lineOf = (node: string, index: number) =>
    `NodeName=${node} NodeHostname=${isRoot ? node : host} NodeAddr=127.0.0.1 Port=${ports[index + 1]} CPUs=2 RealMemory=2000 Gres=${gpus(node)} State=UNKNOWN`;
  const devices = join(folder, 'dev/gpu[0-1]');
  const gresOf = (node: string) =>
    `NodeName=${node} Name=gpu ${gpus(node).includes('a100') ? 'Type=a100 ' : ''}File=${devices}`;
  return {
    'slurm.conf': `${[
      'ClusterName=test',
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${ports[0]}`,
      `SlurmUser=${userInfo().username}`,
      `SlurmdUser=${userInfo().username}`,
      `AuthInfo=socket=${join(folder, 'run/munge.sock')}`,
      `StateSaveLocation=${join(folder, 'state')}`,
      `SlurmdSpoolDir=${join(folder, 'spool.%n')}`,
      `SlurmctldPidFile=${join(folder, 'run/slurmctld.pid')}`,
      `SlurmdPidFile=${join(folder, 'run/slurmd.%n.pid')}`,
      `SlurmctldLogFile=${join(folder, 'log/slurmctld.log')}`,
      `SlurmdLogFile=${join(folder, 'log/slurmd.%n.log')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core_Memory',
      'DefMemPerCPU=100',
      'GresTypes=gpu',
      'MailProg=/bin/true',
      'ReturnToService=2',
      `MinJobAge=${options.minJobAge ?? 300}`,
      `KillWait=${options.killWait ?? 30}`,
      `SlurmdTimeout=${options.slurmdTimeout ?? 10}`,
      'SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1',
      ...nodes.map(lineOf),
      'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
      'PartitionName=short Nodes=n1 MaxTime=1 State=UP',
      ...(options.lines ?? []),
    ].join('\n')}\n`,
    'gres.conf': `${nodes.map(gresOf).join('\n')}\n`,
    // Without it slurmd ends where /sys/fs/cgroup is not mounted.
    'cgroup.conf': 'CgroupPlugin=cgroup/v1\n',
  };
}

import { Hono } from 'hono';
import type { SessionFacts } from '../sessions/facts.js';
import { liveOnes } from '../sessions/outputs/active.js';
import { type DiskFacts, readDisk } from '../telemetry/disk.js';
import type { MachineReading } from '../telemetry/machine/machine.js';
import { type Metric, PROMETHEUS, prometheusText } from '../telemetry/prometheus.js';
import type { Trackside } from '../trackside.js';

/** Sessions and the machine for Prometheus; behind the login, so scrape with `authorization: {credentials: <token>}`. */
export function metricRoutes({ settings, outputs, machine }: Trackside): Hono {
  const routes = new Hono();

  routes.get('/metrics', async (c) => {
    const [all, disk] = [await outputs.list(), await readDisk(settings.outputs)];
    const own = [
      gauge('trackside_info', 'The version that runs.', 1, { version: settings.version }),
      gauge('process_resident_memory_bytes', 'Memory of Trackside itself.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'When it was started.', Date.now() / 1000 - process.uptime()),
    ];
    const text = prometheusText([...own, ...ofSessions(all), ...ofDisk(disk), ...ofMachine(machine.facts().now)]);
    return c.body(text, 200, { 'Content-Type': PROMETHEUS });
  });

  return routes;
}

const STATUSES = ['draft', 'pending', 'starting', 'running', 'stopping', 'stopped', 'completed', 'failed'] as const;

/** How many there are of each status; and how far those that run are. */
function ofSessions(all: readonly SessionFacts[]): Metric[] {
  const live = liveOnes(all);
  const each = (name: string, help: string, value: (facts: SessionFacts) => number | null | undefined): Metric => ({
    name: `trackside_session_${name}`,
    help,
    type: 'gauge',
    values: live.map((facts) => ({
      labels: { session: facts.name, lora: facts.lora_name },
      value: value(facts) ?? null,
    })),
  });
  return [
    {
      name: 'trackside_sessions',
      help: 'Sessions by their status.',
      type: 'gauge',
      values: STATUSES.map((status) => ({
        labels: { status },
        value: all.filter((facts) => facts.status === status).length,
      })),
    },
    each('step', 'The absolute step of a running session.', ({ progress }) => progress.step),
    each('steps', 'The steps that it will have at its end.', ({ progress }) => progress.total_steps),
    each('epoch', 'Its epoch.', ({ progress }) => progress.epoch),
    each('loss', 'The running mean of its loss.', ({ progress }) =>
      typeof progress.loss === 'number' ? progress.loss : progress.loss && Number.NaN,
    ),
    each('step_duration_seconds', 'The time of a step.', ({ progress }) => progress.seconds_per_step),
    each('remaining_seconds', 'The time to its end.', ({ progress }) => progress.eta_seconds),
    each('stalled_seconds', 'For how long it stands still; 0 while it moves.', (facts) => facts.stalled_seconds ?? 0),
  ];
}

function ofDisk(disk: DiskFacts | null): Metric[] {
  return [
    gauge('trackside_disk_free_bytes', 'Space that is free for outputs.', disk?.free_bytes ?? null),
    gauge('trackside_disk_total_bytes', 'Space for outputs in all.', disk?.total_bytes ?? null),
  ];
}

function ofMachine(now: MachineReading | null): Metric[] {
  if (!now) return [];
  const each = (name: string, help: string, value: (gpu: MachineReading['gpus'][number]) => number | null): Metric => ({
    name: `trackside_gpu_${name}`,
    help,
    type: 'gauge',
    values: now.gpus.map((gpu) => ({ labels: { gpu: gpu.index, name: gpu.name }, value: value(gpu) })),
  });
  return [
    gauge('trackside_cpu_use_ratio', 'Use of the processors, 0 to 1.', share(now.cpu)),
    gauge('trackside_memory_used_bytes', 'Memory in use.', now.memoryUsed),
    gauge('trackside_memory_total_bytes', 'Memory that may be used.', now.memoryTotal),
    each('use_ratio', 'Use of a GPU, 0 to 1.', ({ use }) => share(use)),
    each('memory_used_bytes', 'Its memory in use.', ({ memoryUsed }) => memoryUsed),
    each('memory_total_bytes', 'Its memory.', ({ memoryTotal }) => memoryTotal),
    each('temperature_celsius', 'Its temperature.', ({ temperature }) => temperature),
    each('power_watts', 'Its power.', ({ power }) => power),
  ];
}

function share(percent: number | null): number | null {
  return percent === null ? null : percent / 100;
}

function gauge(name: string, help: string, value: number | null, labels: Record<string, string> = {}): Metric {
  return { name, help, type: 'gauge', values: [{ labels, value }] };
}

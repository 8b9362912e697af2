import type { Hub } from '../../live/hub.js';
import type { MachineFacts } from '../../telemetry/machine/machine.js';
import type { Outputs } from '../outputs/outputs.js';

/**
 * Notes of each attempt on this machine how much memory its fullest GPU had in use: whether a smaller card would do. A GPU
 * belongs to one session at a time, so that what it has in use is its own.
 */
export function watchGpuMemory({
  outputs,
  hub,
  machine,
}: {
  outputs: Outputs;
  hub: Hub;
  machine: { facts(): MachineFacts };
}) {
  let leave = () => {};
  function look(): void {
    const gpus = machine.facts().now?.gpus ?? [];
    if (gpus.length === 0) return;
    for (const name of outputs.followed()) {
      const latest = outputs.facts(name)?.attempts.at(-1);
      if (!latest?.alive || latest.host !== null) continue;
      const own = gpus.filter(({ index }) => latest.gpus.includes(index));
      outputs.keepGpuMemory(name, Math.max(0, ...own.map(({ memoryUsed }) => memoryUsed ?? 0)));
    }
  }
  return {
    open(): void {
      leave = hub.join(({ type }) => {
        if (type === 'machine') look();
      });
    },
    close: () => leave(),
  };
}

import type { Hub } from '../../live/hub.js';
import type { Settings } from '../../settings.js';
import type { MachineFacts } from '../../telemetry/machine/machine.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { usesGpu } from '../queue/taken.js';

/**
 * Notes of each attempt on this machine how much memory its fullest GPU had in use: whether a smaller card would do. A GPU
 * belongs to one session at a time, so that what it has in use is its own. AMD's are given to nobody: all of them are those of
 * the one training here that uses a GPU, and nobody's where there are several.
 */
export function watchGpuMemory({
  outputs,
  hub,
  machine,
  settings,
}: {
  outputs: Outputs;
  hub: Hub;
  machine: { facts(): MachineFacts };
  settings: Settings;
}) {
  let leave = () => {};
  function look(): void {
    const gpus = machine.facts().now?.gpus ?? [];
    if (gpus.length === 0) return;
    const here = outputs
      .followed()
      .flatMap((name) => outputs.facts(name) ?? [])
      .filter(isHere);
    const given = here.filter((facts) => gpusOf(facts).length > 0);
    const others = here.filter((facts) => gpusOf(facts).length === 0 && usesGpu(settings, facts));
    const sole = given.length === 0 && others.length === 1 ? others : [];
    for (const facts of [...given, ...sole]) {
      const own = sole.length > 0 ? gpus : gpus.filter(({ index }) => gpusOf(facts).includes(index));
      outputs.keepGpuMemory(facts.name, Math.max(0, ...own.map(({ memoryUsed }) => memoryUsed ?? 0)));
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

/** Does it train on this machine? */
function isHere({ attempts }: SessionFacts): boolean {
  const latest = attempts.at(-1);
  return latest?.alive === true && latest.host === null;
}

function gpusOf({ attempts }: SessionFacts): readonly number[] {
  return attempts.at(-1)?.gpus ?? [];
}

import { exitOf } from '../processes/run.js';
import { PodProblem, type Provider, UNKNOWN } from './provider.js';

const PATIENCE_MS = 120_000;

/** A command of the person's own. Whether it worked shows only in that this program ends. */
export function ownCommand(command: string): Provider {
  return {
    id: 'command',
    name: 'Your command',
    leaves: 'What is left depends on your command.',
    look: async () => UNKNOWN,
    async stop() {
      const { code } = await exitOf(['sh', '-c', command], PATIENCE_MS);
      if (code !== 0) throw new PodProblem(`The command ended with exit code ${code ?? 'none, after two minutes'}.`);
    },
  };
}

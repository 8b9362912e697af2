import { shellWord } from '../processes/shellWord.js';
import type { TrainingSettings } from './setting.js';
import type { Command, InputFile } from './trainer.js';

/** The files for a trainer in its output folder, under the names in its command. */
export function inputFiles(dataset: string, { sample_prompts }: TrainingSettings, script: string): InputFile[] {
  return [
    { name: 'dataset.toml', content: dataset, executable: false },
    { name: 'sample_prompts.txt', content: `${sample_prompts.trim()}\n`, executable: false },
    { name: 'train.sh', content: script, executable: true },
  ];
}

/** train.sh: the command as it was run, to repeat it by hand. Every value reaches the trainer unchanged. */
export function trainScript({ argv, cwd }: Command, environment: Record<string, string> = {}): string {
  const [program = '', ...tokens] = argv;
  const exports = Object.entries({ PYTHONUNBUFFERED: '1', ...environment });
  return `#!/usr/bin/env bash
# What Trackside ran. Running it by hand does the same, without Trackside noticing.
set -e
cd -- ${shellWord(cwd)}
${exports.map(([name, value]) => `export ${name}=${shellWord(value)}`).join('\n')}
exec ${[program, ...tokens].map(shellWord).join(' \\\n  ')}
`;
}

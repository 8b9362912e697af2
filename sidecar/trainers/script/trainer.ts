import { basename } from 'node:path';
import { bridge } from '../../bridge.js';
import { tracked } from '../tracked/dialect.js';
import type { Trainer } from '../trainer.js';
import { trainScript } from '../trainScript.js';
import { type Asking, checkValues, describeScript, pythonOf } from './ask.js';
import { chosenParsers, type Description, outputArgument, type Parser } from './description.js';
import type { Script } from './found.js';
import { scriptTokens, type Values } from './tokens.js';

/** A script of the user as a trainer: its form is its own parser, and it needs neither pictures nor settings of ours. */
export function scriptTrainer(script: Script, asking: Asking): Trainer {
  const { id, path, module, cwd } = script;
  const name = module ?? basename(path);
  const python = pythonOf(script, asking);
  const program = [python, ...(module ? ['-m', module] : [path])];
  return {
    id,
    label: name,
    description: `Your own script, ${path}.`,
    settings: [],
    script: { path, cwd },
    // Without `import trackside` in it, it reports nothing, and its exit code alone counts.
    dialect: tracked,
    checkout: cwd,
    ...(script.python ? { python: script.python } : {}),
    fromSettings: [],
    furtherArguments: () => [],
    own: {
      describe: () => describeScript(script, asking),
      check: (description, values) => checkValues(script, description, values, asking),
      command: ({ parser }, values, folder) => {
        return { argv: [...program, ...scriptTokens(parser, withOutput(parser, values, folder))], cwd };
      },
      files: (run, environment) => [{ name: 'train.sh', content: trainScript(run, environment), executable: true }],
    },
    command: () => ({ argv: program, cwd }),
    files: () => [],
  };
}

/** A script that plainly says where it writes, and was not told, writes into the session's folder. */
function withOutput(parser: Parser, values: Values, folder: string): Values {
  const output = outputArgument(chosenParsers(parser, values));
  return output && values[output.name] === undefined ? { ...values, [output.name]: folder } : values;
}

/** So that `import trackside` finds the package where it is not installed. */
export function scriptEnvironment({ uses_trackside }: Description): Record<string, string> {
  if (!uses_trackside) return {};
  return { PYTHONPATH: [process.env.PYTHONPATH, bridge.folder].filter(Boolean).join(':') };
}

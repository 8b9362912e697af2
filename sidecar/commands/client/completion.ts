import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { projectRoot } from '../../bridge.js';
import { readOr } from '../../caught.js';

/**
 * Adds `trackside completion bash|zsh|fish|powershell`, whose script asks for verbs, flags and names of sessions at each Tab.
 * Names are those of folders: nothing is read, so that a Tab is answered at once.
 */
export function addCompletion(program: Command, { TRACKSIDE_OUTPUTS }: NodeJS.ProcessEnv): void {
  const outputs = TRACKSIDE_OUTPUTS || join(projectRoot, 'outputs');
  const names = () =>
    readOr<string[]>([], 'commands', () =>
      readdirSync(outputs, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [],
      ),
    );
  const completion = tab(program, { completionCommandName: 'completion' });
  const script = program.commands.find((command) => command.name() === 'completion');
  script?.hook('preAction', (_, { args: [shell] }) => {
    if (shell === 'bash') process.stdout.write(WITHOUT_BASH_COMPLETION);
  });
  for (const command of completion.commands.values()) {
    for (const argument of ['session', 'sessions']) {
      const known = command.arguments.get(argument);
      if (!known) continue;
      known.handler = (complete) => {
        for (const name of names()) complete(name, '');
      };
    }
  }
}

/** The script uses a function of the package bash-completion, which a small container does not have. */
const WITHOUT_BASH_COMPLETION = `type _get_comp_words_by_ref >/dev/null 2>&1 || _get_comp_words_by_ref() {
  words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
}
`;

import { readdirSync, readFileSync } from 'node:fs';
import { readable } from '../processes/identity.js';

/**
 * Who is logged in, in words; null if nobody is. Containers keep no list of logins, so the processes are asked: sshd names
 * those that serve somebody ("sshd: root@pts/0", "sshd-session: root@notty", with -N "sshd: root"; sshd(8) setproctitle),
 * and a shell that a provider's own terminal opened has a terminal and no parent in this container.
 */
export function whoIsLoggedIn(proc = '/proc'): string | null {
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    const title = readNow(`${proc}/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    const user = SSH.exec(title)?.groups?.user;
    if (user) return `${user} is logged in by ssh.`;
    if (pid !== '1' && isForeignShell(readNow(`${proc}/${pid}/stat`)))
      return 'Somebody has a terminal open on this pod.';
  }
  return null;
}

/** Not the listener, and not a login that is not through yet ("[priv]", "[net]", "[accepted]"). */
const SSH = /^sshd(?:-session)?: (?<user>[\w.-]{1,64})(?:@[\w/,]{1,200})?$/;

/** '' of a process that has ended. */
const readNow = (path: string) => readable(() => readFileSync(path, 'latin1')) ?? '';

/** proc_pid_stat(5): after the name, state, parent, group, session, terminal. */
function isForeignShell(stat: string): boolean {
  const [, parent, , , terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return parent === '0' && terminal !== undefined && terminal !== '0';
}

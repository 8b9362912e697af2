import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../sidecar.js';

/** What a fault needs of the machine: a command that succeeds where it can be injected. */
const NEEDS = {
  'PID namespaces (root)': ['unshare', '-pf', '--mount-proc', '--uts', 'true'],
  'mounting (root)': ['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
  chattr: ['sh', '-c', 'probe=$(mktemp -d) && chattr +i $probe && chattr -i $probe && rmdir $probe'],
  'fusepy (apt-get install python3-fusepy, as root)': [
    'sh',
    '-c',
    '[ -w /dev/fuse ] && /usr/bin/python3 -c "import fuse" || /usr/bin/python3 -c "import fusepy"',
  ],
  gcc: ['gcc', '--version'],
  strace: ['strace', '-qq', '-o', '/dev/null', 'true'],
  busybox: ['busybox', 'true'],
  'accelerate and torch (npm run faults:accelerate installs them)': [
    join(projectRoot, '.cache', 'accelerate', 'bin', 'accelerate'),
    '--help',
  ],
  'PyTorch (npm run test:python-packages installs it)': [
    process.env.TORCH_PYTHON ?? join(projectRoot, '.cache', 'packages', 'bin', 'python'),
    '-c',
    'import torch',
  ],
  'the wheel (npm run faults:wheel builds it)': [
    join(projectRoot, '.cache', 'wheel', 'venv', 'bin', 'trackside'),
    '--version',
  ],
  'a writable memory control group': [
    'sh',
    '-c',
    'for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do mkdir $root/trackside-probe-$$ && rmdir $root/trackside-probe-$$ && exit 0; done; exit 1',
  ],
} as const;

/** True, with a printed line, when something is missing: for `test.skipIf`. */
export function lacks(need: keyof typeof NEEDS): boolean {
  const [command, ...rest] = NEEDS[need];
  const able = spawnSync(command, rest, { stdio: 'ignore' }).status === 0;
  if (!able) console.log(`Skipped: this machine does not give us ${need}.`);
  return !able;
}

/** A line for the table of promises. */
export function measured(promise: number, text: string): void {
  console.log(`Promise ${promise}: ${text}`);
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestSidecars } from './sidecar.js';

/** For TRACKSIDE_PYTHON: runs the runner as Python does, and a shell script in place of the trainer ("$@" is its command). */
export function fakePython(place: TestSidecars, script: string): string {
  const path = join(place.folder, `python-${Math.random().toString(36).slice(2)}`);
  writeFileSync(path, `#!/bin/bash\ncase "$1" in *_train_network.py) ;; *) exec python3 "$@";; esac\n${script}\n`, {
    mode: 0o755,
  });
  return path;
}

/**
 * A trainer of the session `cat` that trains two epochs for real and crashes; every later attempt crashes at once, each
 * time in the same way or in another one.
 */
export function crashingAfterSaves(place: TestSidecars, ways: 'same' | 'other'): string {
  const count = join(place.folder, 'crashes');
  return fakePython(
    place,
    `
case "$*" in *--resume=*) ;; *) python3 "$@" --max_train_epochs=2; rm -f ${place.outputs}/cat/cat.safetensors;; esac
echo x >> ${count}
way=$([ ${ways} = same ] && echo same || head -c $(wc -l < ${count}) <<< abcdefgh)
printf 'Traceback (most recent call last):\\nValueError: %s\\n' "$way" >&2
exit 1`,
  );
}

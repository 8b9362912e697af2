import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A small disk of its own below the outputs of a soak, which can be full or read-only for a while. Needs root. */
export type SmallDisk = {
  /** What is wrong with it now. */
  fault(): 'full' | 'read-only' | null;
  begin(fault: 'full' | 'read-only'): void;
  end(): void;
  remove(): void;
};

export function mountSmallDisk(outputs: string): SmallDisk {
  mkdirSync(outputs, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', outputs]);
  const filler = join(outputs, '.filler');
  let fault: 'full' | 'read-only' | null = null;
  const disk: SmallDisk = {
    fault: () => fault,
    begin(kind) {
      fault = kind;
      if (kind === 'full') fill(filler);
      else {
        // Over the present one, in which logs are open for writing: no kernel makes that read-only.
        execFileSync('mount', ['--bind', outputs, outputs]);
        execFileSync('mount', ['-o', 'remount,bind,ro', outputs]);
      }
    },
    end() {
      if (fault === 'read-only') {
        execFileSync('mount', ['-o', 'remount,bind,rw', outputs]);
        execFileSync('umount', ['-l', outputs]);
      }
      rmSync(filler, { force: true });
      fault = null;
    },
    remove() {
      disk.end();
      execFileSync('umount', ['-l', outputs]);
    },
  };
  return disk;
}

function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let size = 1 << 20; size >= 1; size = size >> 4) {
      const block = Buffer.alloc(size, 'x');
      try {
        for (;;) writeSync(file, block);
      } catch {
        // Full, but for what is smaller than this.
      }
    }
  } finally {
    closeSync(file);
  }
}

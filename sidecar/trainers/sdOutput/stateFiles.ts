import { readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mayHang } from '../../files/answers.js';

export const MODEL = 'model.safetensors';
export const OLD_MODEL = 'pytorch_model.bin';
/** The files of a state in the order of a save (accelerate checkpointing.py:101-170). */
export const WRITE_ORDER: readonly string[] = [
  ...['train_state.json', MODEL, 'optimizer.bin'],
  ...['scheduler.bin', 'scaler.pt', 'random_states_0.pkl'],
];

/** A file of a state folder; its time of change in nanoseconds. */
export type FileOnDisk = { name: string; ino: bigint; bytes: number; mtimeNs: bigint; isLink: boolean };

/**
 * The files of a state folder, without its folders. On a disk of this machine at once: each call that waits in another
 * thread takes five times as much of the processor. Throws the system's errors.
 */
export async function filesIn(path: string): Promise<FileOnDisk[]> {
  const atOnce = !mayHang(path);
  const entries = atOnce ? readdirSync(path, { withFileTypes: true }) : await readdir(path, { withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async (entry) => {
        const file = join(path, entry.name);
        // A link may lead to another disk.
        const isLink = entry.isSymbolicLink();
        const waits = !atOnce || isLink;
        const { ino, size, mtimeNs } = waits ? await stat(file, { bigint: true }) : statSync(file, { bigint: true });
        return { name: entry.name, ino, bytes: Number(size), mtimeNs, isLink };
      }),
  );
}

/** Changes with every file that is added, removed or written to. */
export function signatureOf(files: FileOnDisk[]): string {
  return files.map((file) => `${file.name}:${file.ino}:${file.bytes}:${file.mtimeNs}`).join();
}

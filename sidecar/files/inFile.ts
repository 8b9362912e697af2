import type { FileHandle } from 'node:fs/promises';

/** What `use` makes of a file that is being opened. Closes the file in any case. */
export async function inFile<File extends FileHandle | null, T>(
  opening: Promise<File>,
  use: (file: File) => Promise<T>,
): Promise<T> {
  const file = await opening;
  try {
    return await use(file);
  } finally {
    await file?.close();
  }
}

import { randomBytes } from 'node:crypto';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Where there is no datasets folder yet, makes it with one dataset, `example`, so that there is something to train on. An
 * existing folder is never touched. True where it was made.
 */
export async function seedExample(datasetsRoot: string, exampleFolder: string): Promise<boolean> {
  if ((await stat(datasetsRoot).catch(() => null)) || !(await stat(exampleFolder).catch(() => null))) return false;
  const aside = `${datasetsRoot}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(datasetsRoot), { recursive: true });
    await cp(exampleFolder, join(aside, 'example'), { recursive: true });
    await rename(aside, datasetsRoot);
    return true;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    // Another sidecar was as quick: its folder stands.
    if (['ENOTEMPTY', 'EEXIST'].includes(`${(error as NodeJS.ErrnoException).code}`)) return false;
    throw error;
  }
}

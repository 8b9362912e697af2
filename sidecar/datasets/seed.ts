import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';

/**
 * Makes a dataset to try, `example`, if the datasets folder is missing or empty, as on a pod's new volume. Never touches a
 * folder with anything in it, hidden or not: the user may have deleted the example. Returns whether it was made.
 */
export async function seedExample(datasetsRoot: string, exampleFolder: string): Promise<boolean> {
  if (!(await stat(exampleFolder).catch(ifUnreadable(null, 'datasets'))) || !(await isEmpty(datasetsRoot)))
    return false;
  await mkdir(datasetsRoot, { recursive: true });
  const aside = join(datasetsRoot, `.example.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await cp(exampleFolder, aside, { recursive: true });
    await rename(aside, join(datasetsRoot, 'example'));
    return true;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    // Another sidecar was faster: its folder stays.
    if (['ENOTEMPTY', 'EEXIST'].includes(`${(error as NodeJS.ErrnoException).code}`)) return false;
    throw error;
  }
}

/** Ignores `lost+found`, which a new disk brings along. */
async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).every((name) => name === 'lost+found');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

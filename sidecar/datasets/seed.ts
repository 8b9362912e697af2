import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';

/**
 * Where there are no datasets yet, makes one, `example`, so that there is something to train on: without a datasets folder,
 * and in an empty one, as pods' volumes have it. A folder with anything in it, hidden or not, is never touched: somebody may
 * have deleted the example. True where it was made.
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
    // Another sidecar was as quick: its folder stands.
    if (['ENOTEMPTY', 'EEXIST'].includes(`${(error as NodeJS.ErrnoException).code}`)) return false;
    throw error;
  }
}

/** A new disk has a folder of its own for what repairs find. */
async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).every((name) => name === 'lost+found');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

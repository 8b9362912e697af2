import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../../bridge.js';
import { ifUnreadable } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { openRegular, readOpened } from '../../files/regularFile.js';

const LARGEST_BYTES = 4 * 1024 * 1024;

const schema = z.looseObject({
  /** The command of the topmost launcher, without shell; its folder, and its environment without secrets. */
  argv: z.array(z.string()).min(1),
  cwd: z.string().startsWith('/'),
  environment: z.record(z.string(), z.string()),
  /** Why it can't be started again, in words that follow "because"; null when it can. */
  why_not: z.string().nullable(),
  /** What a person types to go on. */
  line: z.string(),
});

/** How a training was started that began with `import trackside`: `launch.json` of its folder. */
export type LaunchRecord = z.infer<typeof schema>;

/**
 * Null without one, for an invalid one, and for one that another user could have written: it holds a command to run, so
 * it has to be this user's own file.
 */
export async function readLaunch(folder: string): Promise<LaunchRecord | null> {
  return inFile(openRegular(join(folder, contract.files.launch), 'refused'), async (file) => {
    const stats = await file.stat();
    if (stats.uid !== process.getuid?.() || (stats.mode & 0o022) !== 0) return null;
    return schema.parse(JSON.parse((await readOpened(file, LARGEST_BYTES)).toString('utf8')));
  }).catch(ifUnreadable(null, 'trainers'));
}

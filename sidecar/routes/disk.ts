import { Hono } from 'hono';
import { readDisk } from '../telemetry/disk.js';
import type { Trackside } from '../trackside.js';
import { troubleWords } from '../views/disk.js';

/** Space where outputs are written, and which folders can't be written now, with what is not being saved. */
export function diskRoutes({ settings, disk }: Trackside): Hono {
  return new Hono().get('/disk', async (c) => {
    const facts = await readDisk(settings.outputs);
    const troubles = disk.troubles().map((trouble) => ({ ...trouble, message: troubleWords(trouble) }));
    return c.json({ path: settings.outputs, ...facts, writable: troubles.length === 0, troubles });
  });
}

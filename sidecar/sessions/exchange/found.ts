import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { isoTime } from '../../files/isoTime.js';
import { readText } from '../../files/regularFile.js';
import { Problem } from '../../problem.js';
import { realInside } from '../../security/paths.js';
import { LARGEST_DOCUMENT } from './export.js';
import { parseDocument } from './parseDocument.js';

const NAME = /^training_metadata[\w.-]*\.json$/;

/** A file that another pod's export may be: what a person put into the outputs folder. */
export type FoundFile = { file: string; bytes: number; saved_at: string };

/** Those that lie in the outputs folder itself, newest first. */
export async function findDocuments(root: string): Promise<FoundFile[]> {
  const names = (await readdir(root).catch(ifUnreadable([], 'sessions'))).filter((name) => NAME.test(name));
  const found = await Promise.all(
    names.map(async (file) => {
      const stats = await stat(join(root, file)).catch(ifUnreadable(null, 'sessions'));
      return stats?.isFile() ? [{ file, bytes: stats.size, saved_at: isoTime(stats.mtimeMs) }] : [];
    }),
  );
  return found.flat().sort((a, b) => (a.saved_at < b.saved_at ? 1 : -1));
}

/** Reads one of them by its name. Throws a Problem without such a file, and as `parseDocument` does. */
export async function readDocumentFile(root: string, file: string): Promise<Record<string, unknown>> {
  const path = join(root, file);
  if (!NAME.test(file) || !(await realInside(root, path))) {
    throw new Problem('no_file', `There is no ${file.slice(0, 100)} in the outputs folder.`, { field: 'found' });
  }
  return parseDocument(await readText(path, LARGEST_DOCUMENT, 'refused').catch(ifUnreadable('', 'sessions')), 'found');
}

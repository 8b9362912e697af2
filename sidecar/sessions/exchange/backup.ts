import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ZipFile } from 'yazl';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { log } from '../../log.js';
import { maskedText } from '../../security/redact.js';
import { sessionFolders } from '../names.js';

/** What is kept of a session: all that is not weights, pictures or logs. */
export const STATE_FILES: readonly string[] = [
  'ui_state.json',
  'provenance.json',
  'imported.json',
  'progress.json',
  'launch.json',
  'summary.json',
  'dataset.toml',
  'sample_prompts.txt',
];
const LARGEST = 16 * 1024 * 1024;

/** Beside the sessions: templates, sweeps and what is being typed; and the record of what cleanups removed. */
const FOLDERS = ['.templates', '.sweeps', '.drafts'];
const PURGES = '.trackside-purges.ndjson';

const FOUND = [
  ...STATE_FILES.map((name) => `-name ${name}`),
  ...FOLDERS.map((name) => `-path './${name}/*.json'`),
  `-name ${PURGES}`,
];

/** The same on the command line, from inside the outputs folder. */
export const TAR_LINE = `find . -maxdepth 2 \\( ${FOUND.join(' -o ')} \\) | tar czf trackside-backup.tgz -T -`;

/** All state files of all sessions as a zip, made as it is sent. Unpacked into an outputs folder, it is restored. */
export function backUp(root: string, isOver: () => boolean): NodeJS.ReadableStream {
  const zip = new ZipFile();
  void (async () => {
    for await (const path of pathsIn(root)) {
      if (isOver()) return;
      const text = await readText(join(root, path), LARGEST, 'refused').catch(ifUnreadable(null, 'sessions'));
      if (text !== null) zip.addBuffer(Buffer.from(maskedText(text)), path);
    }
    zip.end();
  })().catch((error: unknown) => {
    log.warn('sessions', 'The state files could not all be packed.', { error });
    zip.outputStream.emit('error', error);
  });
  return zip.outputStream;
}

/** Relative to the outputs folder; some may not be there. */
async function* pathsIn(root: string): AsyncGenerator<string> {
  for (const name of await sessionFolders(root)) for (const file of STATE_FILES) yield join(name, file);
  for (const folder of FOLDERS) {
    const names = await readdir(join(root, folder)).catch(ifUnreadable([], 'sessions'));
    for (const name of names.filter((each) => each.endsWith('.json'))) yield join(folder, name);
  }
  yield PURGES;
}

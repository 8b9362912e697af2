import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { projectRoot } from '../sidecar.js';

/**
 * A fixture with the parts of the sidecar that it imports as one file, for a Node of its own: under strace, or in a namespace.
 * The file is written into `folder`.
 */
export async function bundled(fixture: string, folder: string): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(`fixtures/${fixture}.ts`, import.meta.url)),
    platform: 'node',
    external: ['sharp'],
    // What looks for its neighbours finds those of the source.
    transform: { define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(projectRoot, 'sidecar', 'x')).href) } },
  });
  const file = join(folder, `${fixture}.mjs`);
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return file;
}

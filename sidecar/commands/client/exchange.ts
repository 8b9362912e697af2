import { basename } from 'node:path';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { type Door, factsOf, refusalOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { addressOf } from './sessions.js';
import { print } from './terminal.js';

/** Bytes of an exported session. */
const LARGEST = 16 * 1024 * 1024;

/** Prints a session as the file that another Trackside imports, or writes it. */
export async function exportSession(door: Door, name: string, { output }: { output?: string }): Promise<void> {
  const answer = await door.send('GET', `${addressOf(name)}/export`);
  const text = await answer.text();
  if (!answer.ok) throw refusalOf(answer.status, text);
  if (output === undefined) process.stdout.write(`${text.trimEnd()}\n`);
  else {
    await writeWhole(output, text);
    process.stderr.write(`Written to ${output}.\n`);
  }
}

/** Makes a session of an exported file. */
export async function importSession(door: Door, file: string, { json }: { json?: boolean }): Promise<void> {
  const text = await readText(file, LARGEST).catch((error: Error) => {
    throw new Refusal(EXIT.missing, `${file} can’t be read: ${error.message}`);
  });
  type Imported = { name: string; left_out: string[] };
  const made = await factsOf<Imported>(
    door,
    'POST',
    `sessions/import?name=${encodeURIComponent(basename(file))}`,
    text,
  );
  const left =
    Array.isArray(made.left_out) && made.left_out.length > 0 ? ` Left out: ${made.left_out.join(', ')}.` : '';
  print(made, json, () => `Imported as ${made.name}.${left}`);
}

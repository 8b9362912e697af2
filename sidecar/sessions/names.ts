import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { foldersIn } from '../files/foldersIn.js';
import { Problem } from '../problem.js';
import { isFolderName, slug } from '../slug.js';

/** In the outputs folder: deleted sessions, each in `.trash/<session>/<when>/`. */
export const TRASH = '.trash';

/** Is this the name of an output folder that Trackside would serve? Dots alone, slashes and hidden names are not. */
export function isSessionName(name: string): boolean {
  return isFolderName(name) && !name.includes('..');
}

/** The names of all folders under outputs that may be sessions. Empty if the root can't be read. */
export async function sessionFolders(outputs: string): Promise<string[]> {
  return (await foldersIn(outputs, 'sessions')).filter(isSessionName);
}

/**
 * The folder and file name for a LoRA's name: `My Cat!` → `my-cat`. Letters and digits of any script stay.
 * Throws a Problem for the field `lora_name` when nothing is left.
 */
export function folderName(loraName: string): string {
  const name = slug(loraName);
  if (!name) {
    const message = loraName.trim()
      ? 'Use at least one letter or digit: the name becomes a folder and a file name.'
      : 'Give the LoRA a name: it becomes the folder and the file name.';
    throw new Problem('bad_name', message, { field: 'lora_name' });
  }
  return name;
}

/** A line break, a control character, or one that turns the direction of what follows. */
export const INVISIBLE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** A name of somebody else's file, as it may be shown. */
export function visible(name: string): string {
  return [...name]
    .filter((letter) => !INVISIBLE.test(letter))
    .join('')
    .trim();
}

/** `my-cat` → 1, `my-cat-v3` → 3 */
export function versionOf(folder: string): number {
  return Number(/-v(\d{1,6})$/.exec(folder)?.[1] ?? 1);
}

/** What sessions of one LoRA have in common: `My Cat` and `my cat!` are the same one. */
export function loraKey({ lora_name, name }: { lora_name: string; name: string }): string {
  return slug(lora_name) || name;
}

/** What a version is called: `lr_0001`, else V3. */
export function versionName(of: { version: number; version_name: string | null }): string {
  return of.version_name ?? `V${of.version}`;
}

/** A name of at most 60 characters that no other version of the LoRA has. `taken` is in lower case. */
export function freeName(name: string, taken: readonly string[]): string {
  for (let more = 0; ; more += 1) {
    const free = more === 0 ? name.slice(0, 60) : `${name.slice(0, 44)} (imported${more > 1 ? ` ${more}` : ''})`;
    if (!taken.includes(free.toLowerCase())) return free;
  }
}

/** The next free version of a LoRA, from the existing folders. No version is given twice while its folder exists. */
export function nextVersion(base: string, folders: readonly string[]): number {
  const taken = folders.flatMap((folder) => {
    if (folder === base) return [1];
    const version = folder.startsWith(`${base}-v`) ? Number(folder.slice(base.length + 2)) : Number.NaN;
    return Number.isInteger(version) && version > 0 ? [version] : [];
  });
  return taken.length === 0 ? 1 : Math.max(...taken) + 1;
}

/** Makes the folder of a LoRA's next version. Two simultaneous calls get two versions. */
export async function makeVersionFolder(outputs: string, loraName: string): Promise<{ name: string; version: number }> {
  const base = folderName(loraName);
  await mkdir(outputs, { recursive: true });
  for (;;) {
    const version = nextVersion(base, await readdir(outputs));
    const name = version === 1 ? base : `${base}-v${version}`;
    try {
      await mkdir(join(outputs, name));
      return { name, version };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

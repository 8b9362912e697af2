/**
 * Makes a folder name of typed text: `My Cat!` → `my-cat`. Keeps letters and digits of any script; '' if none is left. At
 * most 60 characters and 150 bytes, which leaves room for the endings of checkpoints and temporary names in the 255 bytes of
 * file systems.
 */
export function slug(typed: string): string {
  const words = typed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^[-_]+/, '');
  let cut = '';
  for (const letter of Array.from(words).slice(0, 60)) {
    if (Buffer.byteLength(cut + letter) > 150) break;
    cut += letter;
  }
  return cut.replace(/(?<!-)-+$/, '');
}

/**
 * Can a folder that people or other tools made be served under its name? Any visible text that is one part of a path: also
 * `10_ohwx man (v2)`, `_tmp` or `cat+dog`. A hyphen at its beginning would read as a flag.
 */
export function isFolderName(name: string): boolean {
  return /^[^.\s/\\-]([^/\\]*[^\s/\\])?$/u.test(name) && !UNSEEN.test(name) && Buffer.byteLength(name) <= 200;
}

/** Control characters, changes of direction, and what a name that is not UTF-8 is read as. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufffd]/u;

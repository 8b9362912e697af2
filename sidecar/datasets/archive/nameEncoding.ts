import { isUtf8 } from 'node:buffer';

/** Reads the bytes of a name. */
export type Decode = (name: Buffer) => string;

/**
 * How the names of an archive are to be read that do not say that they are UTF-8: all in one way, as their packer wrote them.
 * Null for UTF-8, and for the letters of DOS (CP437), which the format names: other readings are taken only where that one
 * shows lines and blocks, which nobody types, or where it is Russian beyond doubt.
 */
export function encodingOf(names: readonly Buffer[]): Decode | null {
  if (names.every((name) => isUtf8(name))) return null;
  const read = names.map((name) => name.toString('latin1'));
  const [encoding] = READINGS.find(([, isIt]) => isIt(read)) ?? [null];
  if (encoding === null) return null;
  const decoder = new TextDecoder(encoding);
  return (name) => decoder.decode(name);
}

/** Lines and blocks of CP437. */
const hasLines = (name: string) => /[\xb0-\xdf]/.test(name);
const every = (names: readonly string[], pattern: RegExp) => names.every((name) => pattern.test(name));

/** The encodings of Windows that are met, the strictest first. */
const READINGS: readonly [encoding: string, isIt: (names: readonly string[]) => boolean][] = [
  // Simplified Chinese, within GB 2312.
  ['gb18030', (names) => names.some(hasLines) && every(names, /^(?:[\0-\x7f]|[\xa1-\xa9\xb0-\xf7][\xa1-\xfe])*$/)],
  // Japanese, without kana of half a width.
  [
    'shift_jis',
    (names) => names.some(hasLines) && reads(names, 'shift_jis', /^[\0-\x7f\p{sc=Han}\u3000-\u30ff\uff01-\uff5e]*$/u),
  ],
  // Traditional Chinese.
  ['big5', (names) => isChinese(names) && every(names, BIG5) && reads(names, 'big5', HAN)],
  ['gb18030', (names) => isChinese(names) && reads(names, 'gb18030', HAN)],
  // Russian: three letters in a row, of which one is no letter in CP437.
  ['ibm866', (names) => names.some((name) => RUSSIAN.test(name)) && every(names, /^[\0-\xaf\xe0-\xf1]*$/)],
];

const BIG5 = /^(?:[\0-\x7f]|[\xa1-\xc6\xc9-\xf9][\x40-\x7e\xa1-\xfe])*$/;

/** Not the single letters of the West within a word, as in “Álbum” and “ação” of CP850. */
function isChinese(names: readonly string[]): boolean {
  const hasLetters = (name: string) => /[\x81-\xfe][\x40-\xfe][a-z]/i.test(name.replace(/\.[a-z]{1,5}$/i, ''));
  return names.some(hasLines) && !names.some(hasLetters);
}

const HAN = /^[\0-\x7f\p{sc=Han}\u3000-\u303f\uff01-\uff5e]*$/u;
const RUSSIAN =
  /[\xa6-\xaf][\x80-\xaf\xe0-\xf1]{2}|[\x80-\xaf\xe0-\xf1][\xa6-\xaf][\x80-\xaf\xe0-\xf1]|[\x80-\xaf\xe0-\xf1]{2}[\xa6-\xaf]/;

function reads(names: readonly string[], encoding: string, allowed: RegExp): boolean {
  const decoder = new TextDecoder(encoding, { fatal: true });
  return names.every((name) => {
    try {
      return allowed.test(decoder.decode(Buffer.from(name, 'latin1')));
    } catch {
      // silent: it is written in another encoding.
      return false;
    }
  });
}

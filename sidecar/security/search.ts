/**
 * Searches for many byte strings at once (Wu and Manber 1994, blocks of two bytes): most steps skip the length of the
 * shortest needle, less one. Calls `found` for every place, overlapping ones too.
 *
 * @example createSearch([Buffer.from('secret')])(text, (start, needle) => …)
 */
export function createSearch(needles: readonly Buffer[]): Search {
  const shortest = Math.min(...needles.map(({ length }) => length));
  if (needles.length === 0 || shortest < 2) return () => {};
  const furthest = Math.min(255, shortest - 1);
  const skip = new Uint8Array(65_536).fill(furthest);
  const endings: number[][] = [[]];
  const endingOf = new Uint16Array(65_536);
  for (const [index, needle] of needles.entries()) {
    for (let at = 1; at < shortest; at += 1) {
      const block = blockAt(needle, at);
      skip[block] = Math.min(skip[block] ?? 0, shortest - 1 - at);
    }
    const last = blockAt(needle, shortest - 1);
    endingOf[last] ||= endings.push([]) - 1;
    endings[endingOf[last] ?? 0]?.push(index);
  }
  return (text, found) => {
    let at = shortest - 1;
    while (at < text.length) {
      const block = ((text[at - 1] as number) << 8) | (text[at] as number);
      const step = skip[block] as number;
      if (step > 0) {
        at += step;
        continue;
      }
      const start = at - shortest + 1;
      for (const index of endings[endingOf[block] as number] as number[]) {
        if (stands(needles[index] as Buffer, text, start)) found(start, index);
      }
      at += 1;
    }
  };
}

export type Search = (text: Uint8Array, found: (start: number, needle: number) => void) => void;

function blockAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at - 1] as number) << 8) | (bytes[at] as number);
}

function stands(needle: Uint8Array, text: Uint8Array, start: number): boolean {
  if (start + needle.length > text.length) return false;
  for (let at = 0; at < needle.length; at += 1) if (text[start + at] !== needle[at]) return false;
  return true;
}

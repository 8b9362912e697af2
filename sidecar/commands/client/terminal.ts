import { stripVTControlCharacters } from 'node:util';

/** Text for one place in a terminal: a name in a file could move the cursor, or colour what follows. */
export function plain(text: unknown): string {
  return stripVTControlCharacters(String(text)).replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** Prints the facts as JSON, or in words for people. */
export function print(facts: unknown, json: boolean | undefined, words: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(facts, null, 2) : words()}\n`);
}

/** Rows below their headings, each column as wide as it needs; numbers of `right` columns line up. */
export function table(headings: readonly string[], rows: readonly unknown[][], right: readonly number[] = []): string {
  const all = [headings, ...rows.map((row) => row.map(plain))];
  const widths = headings.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** Names and what they are, one a line; what is unknown is left out. */
export function pairs(facts: Record<string, unknown>): string {
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${plain(value)}`).join('\n');
}

/** Draws over what was drawn before, in a terminal; elsewhere one after the other. */
export function drawAgain(text: string): void {
  if (!process.stdout.isTTY) process.stdout.write(`${text}\n`);
  else {
    const shown = text.split('\n').slice(0, Math.max(1, (process.stdout.rows ?? 24) - 1));
    process.stdout.write(`\u001b[H${shown.map((line) => `${cut(line)}\u001b[K`).join('\n')}\n\u001b[J`);
  }
}

/** The terminal's own screen while it is drawn over; what stood there before comes back. */
export function ownScreen(): () => void {
  if (!process.stdout.isTTY) return () => {};
  process.stdout.write('\u001b[?1049h\u001b[?25l');
  return () => process.stdout.write('\u001b[?25h\u001b[?1049l');
}

function cut(line: string): string {
  return line.slice(0, process.stdout.columns ?? 80);
}

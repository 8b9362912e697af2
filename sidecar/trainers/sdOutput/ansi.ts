const ESCAPE = '\u001b';
const BELL = '\u0007';
const SEQUENCE = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[A-Za-z]|\\][^${ESCAPE}${BELL}]*(?:${BELL}|${ESCAPE}\\\\))`, 'g');

/** Text without colours, cursor movements and links. */
export function withoutAnsi(text: string): string {
  return text.includes(ESCAPE) ? text.replace(SEQUENCE, '') : text;
}

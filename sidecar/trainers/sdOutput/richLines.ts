import { readRichLine } from '../richLine.js';

/** A log record so far: rich wraps it at the width of the terminal. */
export type RichRecord = {
  text: string;
  /** Cells of `file.py:NNN` at the right end of each line, with the space before it. */
  margin: number;
  /** Does its last line reach the margin? Then a word may continue in the next one. */
  full: boolean;
  /** Was it already interpreted, before its end was certain? */
  taken: boolean;
};

const LONGEST_RECORD = 8192;
/** The first cell of the message column. */
const INDENT = 29;

/** The record that begins with this line, or null. */
export function beginRecord(line: string): RichRecord | null {
  const begun = readRichLine(line);
  if (!begun) return null;
  const { words, place, gap } = begun;
  return { text: words, margin: place === '' ? 0 : place.length + 1, full: place !== '' && gap === 1, taken: false };
}

/** The record with this line added; null if the line does not belong to it. */
export function continueRecord(record: RichRecord, line: string): RichRecord | null {
  const indented = line.length > INDENT && line.slice(0, INDENT).trim() === '';
  return indented && !readRichLine(line) ? continued(record, line.slice(INDENT)) : null;
}

/** What follows the last space. */
function lastWord(text: string): string {
  return /(?<!\S)\S*$/.exec(text)?.[0] ?? '';
}

function continued(before: RichRecord, line: string): RichRecord {
  const content = line.trimEnd();
  // A path is broken at the end of the line; other text is broken at a space, which is dropped.
  const folded = before.full && /[/\\]/.test(lastWord(before.text));
  const joined = folded || before.text === '' || /^(?:\s|$)/.test(content) ? content : ` ${content}`;
  return {
    ...before,
    text: (before.text + joined).slice(0, LONGEST_RECORD),
    full: line.length - content.length <= before.margin,
  };
}

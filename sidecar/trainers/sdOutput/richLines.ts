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
const LEVEL = /^\s*(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s+)?(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)(?=\s)/;
/** The first cell of the message column. */
const INDENT = 29;

/** The record that begins with this line of rich's log handler (sd-scripts library/utils.py:69-76), or null. */
export function beginRecord(line: string): RichRecord | null {
  const level = LEVEL.exec(line);
  return level ? begun(line.slice(level[0].length).trimEnd()) : null;
}

/** The record with this line added; null if the line does not belong to it. */
export function continueRecord(record: RichRecord, line: string): RichRecord | null {
  const indented = line.length > INDENT && line.slice(0, INDENT).trim() === '';
  return indented && !LEVEL.test(line) ? continued(record, line.slice(INDENT)) : null;
}

function begun(body: string): RichRecord {
  const column = body.lastIndexOf(' ') + 1;
  const file = body.slice(column);
  if (!/^\S+:\d+$/.test(file)) return { text: body.trim(), margin: 0, full: false, taken: false };
  const text = body.slice(0, column).trimEnd();
  return { text: text.trimStart(), margin: file.length + 1, full: column - text.length === 1, taken: false };
}

function continued(before: RichRecord, line: string): RichRecord {
  const content = line.trimEnd();
  // A path is broken at the end of the line; other text is broken at a space, which is dropped.
  const folded = before.full && /[/\\]\S*$/.test(before.text);
  const joined = folded || before.text === '' || /^(?:\s|$)/.test(content) ? content : ` ${content}`;
  return {
    ...before,
    text: (before.text + joined).slice(0, LONGEST_RECORD),
    full: line.length - content.length <= before.margin,
  };
}

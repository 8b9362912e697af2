/** A log record as far as it was printed: rich breaks it over several lines at the width of the terminal. */
export type RichRecord = {
  text: string;
  /** Cells that `file.py:NNN` takes at the right end of each of its lines, with the space before it. */
  margin: number;
  /** Does its last line reach the margin? Then a word may go on in the next one. */
  full: boolean;
  /** Was its meaning taken before its end was certain? */
  taken: boolean;
};

const LONGEST_RECORD = 8192;
const LEVEL = /^\s*(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s+)?(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)(?=\s)/;
/** Where the message column begins. */
const INDENT = 29;

/** The record that this line of rich's log handler begins (sd-scripts library/utils.py:69-76); null when it begins none. */
export function beginRecord(line: string): RichRecord | null {
  const level = LEVEL.exec(line);
  return level ? begun(line.slice(level[0].length).trimEnd()) : null;
}

/** The record with this line added; null when the line is not a further one of it. */
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
  // A path is folded where the line ends; anything else is broken at a space, which the break swallows.
  const folded = before.full && /[/\\]\S*$/.test(before.text);
  const joined = folded || before.text === '' || /^(?:\s|$)/.test(content) ? content : ` ${content}`;
  return {
    ...before,
    text: (before.text + joined).slice(0, LONGEST_RECORD),
    full: line.length - content.length <= before.margin,
  };
}

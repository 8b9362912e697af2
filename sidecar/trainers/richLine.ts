/** A line that begins a record of rich's log handler, which sd-scripts uses (its library/utils.py:69-76). */
export type RichLine = {
  level: string;
  /** What this line holds of the message; long messages continue in further lines. */
  words: string;
  /** `train_util.py:123` at the right end; empty where it is not shown. */
  place: string;
  /** Cells between words and place. */
  gap: number;
};

/** `2026-… INFO     words      file.py:12`; records of the same second as the one before have blanks for their time. */
const BEGINNING =
  /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\[\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d\]| {10,25}) {1,4}(DEBUG|INFO|WARNING|ERROR|CRITICAL)(?: (.*))?$/;
const PLACE = /(?:^|\s)(\S+\.py:\d+)$/;
/** Longer file names do not occur. Characters. */
const LONGEST_PLACE = 100;

/** Null for any other line. */
export function readRichLine(line: string): RichLine | null {
  const [, level, rest = ''] = BEGINNING.exec(line.trimEnd()) ?? [];
  if (!level) return null;
  const place = PLACE.exec(rest.slice(-LONGEST_PLACE))?.[1] ?? '';
  const body = rest.slice(0, rest.length - place.length);
  return { level, words: body.trim(), place, gap: body.length - body.trimEnd().length };
}

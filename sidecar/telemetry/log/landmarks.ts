/** What stands out in a log: lines where something failed or was warned of, ascending; of many, the first. */
export type Landmarks = { errors: number[]; warnings: number[]; errorCount: number; warningCount: number };

/** Of each kind; more are only counted. */
const MOST = 20_000;

/**
 * What a failure begins with, and the levels of Python's loggers, of rich's and of FluxGym's. The lines of one traceback are one
 * failure.
 */
const LANDMARK =
  /(?<error>Traceback \(most recent call last\)|terminate called|Fatal Python error|\.py: error: |(?<![A-Za-z_])(?:ERROR|CRITICAL|FATAL)(?:\]|:| {1,9}\S))|(?<![A-Za-z_])WARNING(?:\]|:| {1,9}\S)/g;

/**
 * Adds the landmarks that end in the bytes from `begun` on; those before were taken by the call before.
 *
 * @param lineOf the line of a place, counted from `begun`; asked for ascending places
 */
export function findLandmarks(kept: Landmarks, bytes: Buffer, begun: number, lineOf: (at: number) => number): void {
  // A landmark is ASCII: every byte may count as a character.
  for (const found of bytes.toString('latin1').matchAll(LANDMARK)) {
    const end = found.index + found[0].length;
    // One at the very end is seen again with what follows it.
    if (end <= begun) continue;
    const line = lineOf(found.index - begun);
    if (found.groups?.error) {
      if (add(kept.errors, line)) kept.errorCount += 1;
    } else if (add(kept.warnings, line)) kept.warningCount += 1;
  }
}

function add(lines: number[], line: number): boolean {
  if (lines.at(-1) === line) return false;
  if (lines.length < MOST) lines.push(line);
  return true;
}

/** What a line is, by its words; null for all others. Only what is shown is asked. */
export function levelOf(text: string): 'error' | 'warning' | null {
  const found = text.match(LANDMARK)?.[0];
  return found === undefined ? null : found.startsWith('WARNING') ? 'warning' : 'error';
}

import { stripVTControlCharacters } from 'node:util';

/** One line of a log, as a person reads it on a terminal. */
export type LogLine = {
  text: string;
  /** Which of several processes printed it, where its launcher says so. */
  rank: number | null;
};

/** A log of more is one of blanks. */
const MOST_LINES = 60_000;
/** What is longer is a dump, not a sentence: nothing is looked for behind this. Characters. */
const LONGEST = 4000;

/** `[rank0]: `, `[rank1]:[E203 …`, torchrun's `[default0]:`, srun's `0: ` */
const RANK = /^\[(?:rank|default)(\d{1,4})\]: ?/;

/** NUL and its like: what a terminal does not show. */
const UNPRINTABLE = /[^\P{Cc}\t\r\n]/gu;

/** What a logger or a process puts before each line of a traceback; numbers in it may differ from line to line. */
const LONGEST_PREFIX = 200;

/** FluxGym's, before every line. */
const FLUXGYM = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[(?:DEBUG|INFO|WARNING|ERROR)\] ?/;

const TRACEBACK = 'Traceback (most recent call last):';

/**
 * Cuts a log into lines: without colours, without the prefix of a process, each redraw of a bar for itself. A traceback
 * that begins behind a bar, on the same line, begins a line of its own.
 */
export function logLines(log: string): LogLine[] {
  let prefix = '';
  return stripVTControlCharacters(log)
    .replace(UNPRINTABLE, '')
    .split(/\r\n|[\r\n]/)
    .slice(-MOST_LINES)
    .flatMap((raw) => {
      const found = RANK.exec(raw) ?? FLUXGYM.exec(raw);
      let text = (found ? raw.slice(found[0].length) : raw).slice(0, LONGEST).trimEnd();
      const rank = found?.[1] ? Number(found[1]) : null;
      if (prefix && shape(text.slice(0, prefix.length)) === prefix) text = text.slice(prefix.length);
      const record = behindBar(text);
      if (record)
        return [
          { text: record.bar, rank },
          { text: record.rest, rank },
        ];
      const begins = text.endsWith(TRACEBACK) ? text.length - TRACEBACK.length : 0;
      const before = text.slice(0, begins);
      if (begins === 0 || /^[\s|+]*(?:Original |Exception Group )?$/.test(before)) return [{ text, rank }];
      if (!isBar(before) && begins <= LONGEST_PREFIX) prefix = shape(before);
      return [
        { text: before, rank },
        { text: TRACEBACK, rank },
      ];
    });
}

/** A record of a logger, on the line of the bar that was drawn before it. */
function behindBar(text: string): { bar: string; rest: string } | null {
  const level = isBar(text)
    ? /\][ ]{0,40}(?=(?: {10}|\d{4}-\d\d-\d\d )[ \d:.]{0,40}(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) )/.exec(text)
    : null;
  if (!level) return null;
  const at = level.index + 1;
  return { bar: text.slice(0, at), rest: text.slice(at) };
}

function shape(prefix: string): string {
  return prefix.replace(/\d/g, '0');
}

/** Is it tqdm's? `steps:  4%|▍   | 1/24 [00:01<00:37, 1.63s/it]`, also one without a total: `15it [00:53, …]` */
export function isBar(text: string): boolean {
  return /\d{1,3}%\|/.test(text) || /\b\d+it \[\d/.test(text);
}

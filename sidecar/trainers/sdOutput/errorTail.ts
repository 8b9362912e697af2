import { stripVTControlCharacters } from 'node:util';
import { beginRecord } from './richLines.js';

/** What the end of a log holds of the reasons for which a training may have ended. */
export type ErrorTail = {
  /** The last exception that is the trainer's own, with the indented lines that belong to it. */
  exception: string | null;
  /** It was raised while a tokenizer was loaded (library/strategy_base.py:54): without the hub that is a TypeError. */
  loadingTokenizer: boolean;
  /** argparse's "usage: … error: …". */
  usage: string | null;
  /** sd-scripts' "No data found", which ends it with exit code 0 (train_network.py:576). */
  noData: boolean;
  /** The module that made no network (train_network.py:688 ends with exit code 0 then); null where there was one. */
  noNetwork: string | null;
  /** The signal that ended the trainer, as its launcher tells it. */
  signal: string | null;
  /** The last line that says something: no bar, no blank. */
  lastLine: string | null;
};

/** Finds them in the last part of a log. */
export function errorTail(logTail: string): ErrorTail {
  // With several GPUs torchrun puts the process before each line.
  const lines = logTail.split(/[\r\n]/).map((line) => stripVTControlCharacters(line).replace(/^\[rank\d+\]: ?/, ''));
  return {
    exception: lastException(lines),
    loadingTokenizer: lines.some((line) => /in _load_tokenizer$/.test(line)),
    usage: lastUsage(lines),
    noData: lines.some((line) => /(?:^|ERROR\s+)No data found\b/.test(line)),
    noNetwork: lines.some((line) => line.startsWith('prepare optimizer')) ? null : moduleOf(lines),
    signal: SIGNAL.exec(logTail)?.slice(1).find(Boolean) ?? null,
    lastLine: lines.map(spoken).findLast((line) => line !== '') ?? null,
  };
}

function moduleOf(lines: string[]): string | null {
  return lines.flatMap((line) => /^import network module: (\S+)/.exec(line)?.[1] ?? []).at(-1) ?? null;
}

/** accelerate's words for one process, torchrun's for several. */
const SIGNAL = /died with <Signals\.(SIG[A-Z0-9]+)|Signal \d+ \((SIG[A-Z0-9]+)\) received by PID/;
/** The launcher's report that its child failed, or that it was told to end. */
const LAUNCHER = /^(?:\w+\.)*(?:CalledProcessError|ChildFailedError|SignalException)\b/;
const EXCEPTION = /^(?:\w+\.)*[A-Z]\w*(?::|$)/;

function lastException(lines: string[]): string | null {
  let found: string | null = null;
  for (const [index, line] of lines.entries()) {
    if (!line.endsWith('Traceback (most recent call last):')) continue;
    const after = lines.slice(index + 1);
    const message = after.slice(after.findIndex((each) => EXCEPTION.test(each)));
    if (!EXCEPTION.test(message[0] ?? '') || LAUNCHER.test(message[0] ?? '')) continue;
    const end = message.findIndex((each, place) => place > 0 && !/^\s+\S/.test(each));
    found = message.slice(0, end < 0 ? undefined : end).join('\n');
  }
  return found;
}

function lastUsage(lines: string[]): string | null {
  const error = lines.findLast((line) => /^\S+\.py: error: /.test(line));
  return error ? `usage: ${error}` : null;
}

function spoken(line: string): string {
  if (/^[^|]*\d+%\|/.test(line) || /^── attempt \d+/.test(line)) return '';
  return (beginRecord(line)?.text ?? line).trim();
}

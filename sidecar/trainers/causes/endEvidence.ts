import type { Exit } from '../dialect.js';
import { readRichLine } from '../richLine.js';
import { isBar, type LogLine, logLines } from './logLines.js';
import { chainOf, type Raised, readTracebacks } from './tracebacks.js';

/** What speaks for one cause or another, from the log of an attempt and from how its process ended. */
export type EndEvidence = {
  /** What may have ended it: of the process that failed first, then of the others; in each chain the outermost first. */
  raised: Raised[];
  /** The last words of native code before it aborted: `what()`, the watchdog of NCCL, the handler of faults. */
  abort: string | null;
  /** argparse's `x.py: error: …`, without the file. */
  usage: string | null;
  /** What the trainer itself said last: no bar, no blank, no warning of a library, nothing of its launcher. */
  lastWords: string | null;
  /** Some words of the trainer before that, the last first: they may name a file. At most 60. */
  saidBefore: string[];
  /** The signal and the code that ended the trainer behind its launcher. */
  signal: string | null;
  code: number | null;
};

/** accelerate's words for one process, torchrun's and torch's for several. */
const CHILD_SIGNAL =
  /died with <Signals\.(SIG[A-Z0-9]+)|Signal \d+ \((SIG[A-Z0-9]+)\) received by PID|process \d+ terminated with signal (SIG[A-Z0-9]+)/;
const CHILD_CODE = /returned non-zero exit status (\d+)\.?$|^ {2}exitcode {2}: (-?\d+) \(pid/;
const LAUNCHER_ERROR = /^(?:\w+\.)*(?:CalledProcessError|ChildFailedError|SignalException|ProcessExitedException)$/;
/** Compilers are called in the same way; only their failure is the trainer's own. */
const COMPILER = /^Command '?\['\S{0,200}(?:gcc|g\+\+|cc|c\+\+|clang|nvcc|ninja)'/;
/** What the others say when one process of several is gone. */
const LOST_PEER = /Connection (?:closed|reset) by peer|Broken pipe|ncclRemoteError|remote process exited/;
/** Lines of launchers, of shutdown, and of warnings: none of them is a reason. */
const NOT_ITS_WORDS = [
  /^\S*(?:User|Future|Deprecation|Runtime|Syntax|Resource|PendingDeprecation|Import)?Warning:/,
  /\.py:\d+: \w*Warning:/,
  /^\s*warnings?\.warn\(/,
  /^\[?\d{4}-\d\d-\d\d[T ]?[\d:,.]*\]? torch\.distributed/,
  /^[WE]\d{4} [\d:.]+ +\d+ .*(?:elastic|torch\/distributed)/,
  /resource_tracker: There appear to be/,
  /^\[\d{4}-\d\d-\d\d [\d:,]+\] \[\w+\] \[launch\.py:/,
  /^(?:Exception ignored|Error in atexit|wandb:|swanlab:|\(Request ID)/,
  /^[─=\-_*#+~^]{5,}$/,
  /^── attempt \d+/,
  /^\s*\^+\s*$/,
];
/** Of tracebacks that are looked at. */
const MOST_RAISED = 16;
const RANK_OF_ROOT = /^ {2}rank {6}: (\d+)/;
/** The trainer goes on: what was printed before was a warning. */
const GOES_ON =
  /^(?:epoch \d+\/\d+|running training|create LoRA|prepare optimizer|override steps|enable |loading u-net|load VAE|caching latents|saving checkpoint)/;

/** Reads what is known of an end. Linear in the length of the log. */
export function readEvidence(log: string, exit: Exit): EndEvidence {
  const lines = logLines(log);
  const tracebacks = readTracebacks(lines);
  // The launcher speaks last: its traceback, or torchrun's table, begins here.
  const launcherFrom = tracebacks.findLast(isLaunchers)?.begins ?? lines.length;
  const goesOnAt = lastAdvance(lines.slice(0, launcherFrom), new Set(tracebacks.map(({ ends }) => ends)));
  const root = rootRank(lines);
  const fatal = tracebacks.filter(
    // torch puts a rank before the lines of an exception that nobody caught, and before nothing else.
    (each) => !each.aside && !isLaunchers(each) && (each.rank !== null || each.ends > goesOnAt),
  );
  const signal = exit.signal ?? signalOf(lines) ?? signalOfCode(exit.code);
  const first = fatal.filter(({ message }) => !LOST_PEER.test(message));
  const own = root !== null && (signal || first.length > 0) ? first : fatal;
  const last = own.findLast(({ rank }) => rank === root) ?? own.at(-1);
  const order = last
    ? [
        last,
        ...own
          .slice(-MOST_RAISED)
          .filter((each) => each !== last)
          .reverse(),
      ]
    : [];
  const words = trainersWords(lines, tracebacks, launcherFrom);
  return {
    raised: order,
    abort: abortOf(lines, goesOnAt),
    usage: usageOf(lines.slice(goesOnAt + 1)),
    lastWords: words[0] ?? null,
    saidBefore: words.slice(0, 60),
    signal,
    code: codeOf(lines) ?? exit.code,
  };
}

function isLaunchers(raised: Raised): boolean {
  return chainOf(raised).some(({ type, message }) => LAUNCHER_ERROR.test(type) && !COMPILER.test(message));
}

/**
 * The last line that shows the trainer at work: a new stage, or a bar that moved. A bar that an exception ends is drawn once
 * more, behind the traceback, with the steps since it was last drawn (tqdm/std.py close).
 */
function lastAdvance(lines: readonly LogLine[], ends: ReadonlySet<number>): number {
  const bars = new Map<string, number>();
  let drawn = new Set<string>();
  let last = -1;
  for (const [index, { text }] of lines.entries()) {
    const bar = /(?<!\d)(\d{1,15})\/(\d{1,15}) \[/.exec(text);
    if (bar && isBar(text)) {
      const key = `${/^[^\d|%]{0,40}/.exec(text)?.[0].trim()}/${bar[2]}`;
      if (Number(bar[1]) > (bars.get(key) ?? 0) && drawn.has(key)) last = index;
      bars.set(key, Math.max(Number(bar[1]), bars.get(key) ?? 0));
      drawn.add(key);
    } else if (GOES_ON.test(readRichLine(text)?.words ?? text)) last = index;
    if (ends.has(index)) drawn = new Set();
  }
  return last;
}

function rootRank(lines: readonly LogLine[]): number | null {
  const table = lines.findLastIndex(({ text }) => /^Root Cause \(first observed failure\):/.test(text));
  if (table < 0) return null;
  for (const { text } of lines.slice(table, table + 6)) {
    const rank = RANK_OF_ROOT.exec(text)?.[1];
    if (rank) return Number(rank);
  }
  return null;
}

const TERMINATE = /^terminate called (?:after throwing an instance of '(.+)'|without an active exception)/;
const NATIVE =
  /^(?:Fatal Python error: |(?:CUDA )?[Ee]rror .{1,200} at line \d+ in file |Memory access fault by GPU|pure virtual method called|OpenBLAS blas_thread_init: pthread_create failed|malloc\(\): |free\(\): |munmap_chunk\(\): |double free or corruption|corrupted (?:size|double)|\*\*\* stack smashing|Segmentation fault|Illegal instruction|Bus error|Aborted|.*: symbol lookup error: |.*: undefined symbol: |F\d{4} |\[F )/;
const WATCHDOG =
  /Watchdog caught collective operation timeout|NCCL timeout|NET\/IB : Got async event|Some NCCL operations have failed/;

/** What native code said before it aborted: the watchdog's reason before the exception that it then throws. */
function abortOf(lines: readonly LogLine[], after: number): string | null {
  const found: string[] = [];
  for (let at = after + 1; at < lines.length && found.length < 40; at += 1) {
    const text = lines[at]?.text ?? '';
    if (WATCHDOG.test(text) || NATIVE.test(text)) found.push(text.replace(/^\[E[^\]]*\] ?(?:\[Rank \d+\] )?/, ''));
    const thrown = TERMINATE.exec(text);
    if (!thrown) continue;
    const what: string[] = [];
    for (let next = at + 1; next < Math.min(lines.length, at + 12); next += 1) {
      const line = lines[next]?.text ?? '';
      if (what.length > 0 && /^(?:frame #|Exception raised from|\s*$|\[)/.test(line)) break;
      const words = /^\s+what\(\): {1,4}(.*)$/.exec(line)?.[1] ?? (what.length > 0 ? line : null);
      if (words !== null) what.push(words);
    }
    found.push(what.join('\n').trim() || (thrown[1] ?? ''));
  }
  return found.length > 0 ? found.filter(Boolean).join('\n') : null;
}

function usageOf(lines: readonly LogLine[]): string | null {
  return (
    lines.flatMap(({ text }) => /^(?:\S+\.py|accelerate .{0,40}): error: (.+)/.exec(text)?.[1] ?? []).at(-1) ?? null
  );
}

/** The trainer's own words, the last first. */
function trainersWords(lines: readonly LogLine[], tracebacks: readonly Raised[], end: number): string[] {
  const inside = new Set<number>();
  for (const { begins, ends } of tracebacks) for (let at = begins; at <= ends; at += 1) inside.add(at);
  const words: string[] = [];
  // rich breaks a long record over lines: between words, in Japanese anywhere.
  let rest = '';
  for (let at = Math.min(end, lines.length) - 1; at >= 0 && words.length < 400; at -= 1) {
    const text = lines[at]?.text ?? '';
    const record = readRichLine(text);
    if (!record && /^ {20,}\S/.test(text)) {
      rest = joined(text.trim(), rest);
      continue;
    }
    const said = joined((record?.words ?? text).trim(), record ? rest : '');
    rest = '';
    if (said === '' || isBar(text) || inside.has(at) || NOT_ITS_WORDS.some((pattern) => pattern.test(text))) continue;
    words.push(said.slice(0, 500));
  }
  return words;
}

function joined(first: string, rest: string): string {
  return /[!-~]$/.test(first) && /^[!-~]/.test(rest) ? `${first} ${rest}` : first + rest;
}

function signalOf(lines: readonly LogLine[]): string | null {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const text = lines[at]?.text ?? '';
    const found = CHILD_SIGNAL.exec(text);
    if (found) return found.slice(1).find(Boolean) ?? null;
    // torchrun's own end, and deepspeed's words for its child.
    const got = /SignalException: Process \d+ got signal: (\d+)|exits with return code = -(\d+)/
      .exec(text)
      ?.slice(1)
      .find(Boolean);
    if (got) return signalOfCode(128 + Number(got));
  }
  return null;
}

/** A shell between, or a container's own start, turns a signal into 128 and its number. */
function signalOfCode(code: number | null): string | null {
  const names: Record<number, string> = {
    129: 'SIGHUP',
    130: 'SIGINT',
    131: 'SIGQUIT',
    132: 'SIGILL',
    134: 'SIGABRT',
    135: 'SIGBUS',
    136: 'SIGFPE',
    137: 'SIGKILL',
    139: 'SIGSEGV',
    143: 'SIGTERM',
  };
  return code === null ? null : (names[code] ?? null);
}

function codeOf(lines: readonly LogLine[]): number | null {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const found = CHILD_CODE.exec(lines[at]?.text ?? '');
    if (found) return Number(found[1] ?? found[2]);
  }
  return null;
}

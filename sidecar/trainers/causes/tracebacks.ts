import { readRichLine } from '../richLine.js';
import { isBar, type LogLine } from './logLines.js';

/** An exception as Python printed it, with those behind it. */
export type Raised = {
  /** `torch.OutOfMemoryError`, `zlib.error` */
  type: string;
  /** All lines of its message and notes; the first may be empty. */
  message: string;
  /** `file:function` of each frame, outermost first. */
  frames: string[];
  /** What it was raised from, or while it was handled; the worker's own, where it was raised again in the main process. */
  from: Raised | null;
  /** Members of an exception group. */
  members: Raised[];
  rank: number | null;
  /** Index of the first and of the last line. */
  begins: number;
  ends: number;
  /** Printed without ending anything: in `__del__`, at exit, in a thread, by a logger. */
  aside: boolean;
};

const HEADER = /^(\s*(?:[|+] ?)*)(?:Original |Exception Group )?Traceback \(most recent call last\):$/;
const BOX_HEADER = /^\s*[╭┌+][─-]+ ?Traceback \(most recent call last\) ?[─-]+[╮┐+]$/;
const BOX_LINE = /^\s*[│|]/;
const BOX_END = /^\s*[╰└+][─-]+[╯┘+]?$/;
const CHAINED =
  /^\s*(?:[|+] ?)*(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):$/;
const ASIDE =
  /^(?:Exception ignored (?:in|on)\b|Error in atexit|Exception in thread\b|--- Logging error ---|Exception in callback\b|Task exception was never retrieved|Future exception was never retrieved)/;
const FRAME = /^\s*File "(.+?)", line \d+(?:, in (.+))?$/;
/** `name:` or a name alone; names have dots, and may be lower case. */
const EXCEPTION = /^((?:[A-Za-z_]\w*(?:\.<locals>)?\.)*[A-Za-z_]\w*)(?::(?: (.*))?)?$/;
const RAISED = /^[\w.]{0,200}(?:Error|Exception|Interrupt|Exit)\b/;
/** What begins something else, so that the message of an exception ends before it. */
const OTHER =
  /^(?:terminate called|Fatal Python error|wandb: |\[W\d|\[E\d|\[\d{4}-\d\d-\d\d|W\d{4} |E\d{4} |INFO:|WARNING:|ERROR:|={20,}|─{20,}|-{20,}$|── attempt \d+)/;
const LONGEST_MESSAGE = 40;
const LONGEST_GROUP = 1000;
const LONGEST_TRACEBACK = 2000;
/** Of tracebacks within messages. */
const DEEPEST = 2;
/** Of exceptions behind one. */
const LONGEST_CHAIN = 30;

/** All tracebacks in the order in which they end. Those of several processes may be mixed line by line. */
export function readTracebacks(lines: readonly LogLine[]): Raised[] {
  const byRank = new Map<number | null, { text: string; index: number }[]>();
  for (const [index, { text, rank }] of lines.entries()) {
    const mine = byRank.get(rank);
    if (mine) mine.push({ text, index });
    else byRank.set(rank, [{ text, index }]);
  }
  return [...byRank].flatMap(([rank, mine]) => ofOneRank(mine, rank)).sort((a, b) => a.ends - b.ends);
}

function ofOneRank(mine: Mine, rank: number | null, depth = 0): Raised[] {
  const found: Raised[] = [];
  let chained = false;
  for (let at = 0; at < mine.length; at += 1) {
    const began = at;
    const text = mine[at]?.text ?? '';
    if (CHAINED.test(text)) chained = true;
    const boxed = BOX_HEADER.test(text);
    const header = boxed ? null : HEADER.exec(text);
    const unread = !boxed && !header && isUnreadable(mine, at);
    if (!boxed && !header && !unread) continue;
    const read = boxed ? readBox(mine, at, depth) : readPlain(mine, unread ? at - 1 : at, header?.[1] ?? '', depth);
    at = Math.max(at, read.next - 1);
    if (read.raised.length === 0) continue;
    const before = found.at(-1);
    // The thread that fails is told of before, and not as what this was raised from.
    const ofThread = /thread exited unexpectedly/.test(read.raised[0]?.message ?? '') && (before?.aside ?? false);
    const from = (chained || ofThread) && before ? before : null;
    if (from) found.pop();
    const aside = isAside(mine, began) || (!ofThread && (from?.aside ?? false));
    for (const each of read.raised) found.push({ ...each, from: each.from ?? from, rank, aside });
    chained = false;
  }
  return found;
}

type Mine = readonly { text: string; index: number }[];
type Read = { raised: Raised[]; next: number };

/** A script that Python cannot read: its file and the error without a header. */
function isUnreadable(mine: Mine, at: number): boolean {
  if (!/^ {2}File ".+", line \d+$/.test(mine[at]?.text ?? '')) return false;
  return [1, 2, 3, 4].some((next) => /^(?:Syntax|Indentation|Tab)Error: /.test(mine[at + next]?.text ?? ''));
}

function isAside(mine: Mine, at: number): boolean {
  return [1, 2].some((back) => ASIDE.test(mine[at - back]?.text ?? ''));
}

/**
 * From a header on: frames, then the exception, then the rest of its message. A second header before the exception of the
 * first is another process that writes between the lines.
 */
function readPlain(mine: Mine, start: number, indent: string, depth: number): Read {
  const frames: string[] = [];
  let open = 1;
  // Where a logger took the indentation away, the line after a frame is source.
  let bareFrame = false;
  const raised: Raised[] = [];
  let at = start + 1;
  for (; at < mine.length && at - start < LONGEST_TRACEBACK && open > 0; at += 1) {
    const text = (mine[at]?.text ?? '').slice(Math.min(indent.length, leading(mine[at]?.text ?? '')));
    const whole = mine[at]?.text ?? '';
    if (BOX_HEADER.test(whole)) break;
    const frame = FRAME.exec(whole);
    if (frame) {
      frames.push(`${frame[1]}:${frame[2] ?? ''}`);
      bareFrame = /^File/.test(whole);
    } else if (HEADER.test(whole) && !indent.trim()) open += 1;
    else if (bareFrame && !RAISED.test(text)) bareFrame = false;
    else if (/^\s/.test(text) || text === '' || /^\[Previous line repeated/.test(text)) continue;
    else {
      const exception = EXCEPTION.exec(text.replace(/^[|+] ?/, ''));
      if (!exception?.[1] || isBar(text) || OTHER.test(text)) continue;
      const twice = halved(exception[1]);
      open = twice ? 0 : open - 1;
      const end = open > 0 ? at + 1 : endOfMessage(mine, at + 1, indent, depth);
      const lines = mine.slice(at + 1, end).map((line) => unindented(line.text, indent));
      const first = twice
        ? (halved((exception[2] ?? '').replace(/^: /, '')) ?? exception[2] ?? '')
        : (exception[2] ?? '');
      raised.push(toRaised(twice ?? exception[1], [first, ...lines], frames, mine, start, end, depth));
      at = end - 1;
    }
  }
  return { raised, next: at };
}

/** rich's: a box of frames, and under it the exception. */
function readBox(mine: Mine, start: number, depth: number): Read {
  let at = start + 1;
  const frames: string[] = [];
  while (at < mine.length && BOX_LINE.test(mine[at]?.text ?? '') && !BOX_END.test(mine[at]?.text ?? '')) {
    const place = /^\s*[│|] (\S+):\d+ in (\S+)/.exec(mine[at]?.text ?? '');
    if (place) frames.push(`${place[1]}:${place[2]}`);
    at += 1;
  }
  if (BOX_END.test(mine[at]?.text ?? '')) at += 1;
  const exception = EXCEPTION.exec(mine[at]?.text ?? '');
  if (!exception?.[1]) return { raised: [], next: at };
  const end = endOfMessage(mine, at + 1, '', depth);
  const lines = mine.slice(at + 1, end).map((line) => line.text);
  return {
    raised: [toRaised(exception[1], [exception[2] ?? '', ...lines], frames, mine, start, end, depth)],
    next: end,
  };
}

/** Where the message of an exception ends: before anything that begins something else, or after forty lines. */
function endOfMessage(mine: Mine, start: number, indent: string, depth: number): number {
  let end = start;
  const inGroup = indent.trim() !== '';
  while (end < mine.length && end - start < (inGroup ? LONGEST_GROUP : LONGEST_MESSAGE)) {
    const text = mine[end]?.text ?? '';
    if (inGroup && /^\s*[|+]/.test(text)) {
      end += 1;
      continue;
    }
    // A worker's traceback is a part of the message of what the main process raised.
    const isOriginal = depth < DEEPEST && /^\s*Original Traceback/.test(text);
    if (!isOriginal && (HEADER.test(text) || BOX_HEADER.test(text) || CHAINED.test(text))) break;
    if (ASIDE.test(text) || OTHER.test(text) || isBar(text) || readRichLine(text)) break;
    if (isOriginal) return Math.max(end + 1, readPlain(mine, end, '', depth + 1).next);
    end += 1;
  }
  while (end > start && (mine[end - 1]?.text ?? '') === '') end -= 1;
  return end;
}

function toRaised(
  type: string,
  message: string[],
  frames: string[],
  mine: Mine,
  start: number,
  end: number,
  depth: number,
): Raised {
  const original = message.findIndex((line) => /^\s*Original Traceback/.test(line));
  const members = message.findIndex((line) => /^[\s|]*\+-\+?-+ 1 -+$/.test(line));
  const cut = [original, members].filter((place) => place >= 0);
  const own = message.slice(0, cut.length > 0 ? Math.min(...cut) : undefined);
  const nested = (from: number) =>
    depth < DEEPEST
      ? ofOneRank(
          message.slice(from).map((text, index) => ({ text: text.replace(/^\s*(?:\|[| ]*|\+-.*)/, ''), index })),
          null,
          depth + 1,
        )
      : [];
  return {
    type,
    message: own.join('\n').trimEnd(),
    frames: [...frames],
    from: original >= 0 ? (nested(original).at(-1) ?? null) : null,
    members: members >= 0 ? nested(members) : [],
    rank: null,
    begins: mine[start]?.index ?? 0,
    ends: mine[Math.max(start, end - 1)]?.index ?? 0,
    aside: false,
  };
}

/** ai-toolkit's log holds each word twice, from two streams: `KeyErrorKeyError: : 'a''a'`. Null where it is not so. */
function halved(text: string): string | null {
  const half = text.slice(0, text.length / 2);
  return half.length > 4 && half + half === text ? half : null;
}

function leading(text: string): number {
  return /^[\s|+]*/.exec(text)?.[0].length ?? 0;
}

function unindented(text: string, indent: string): string {
  return indent.trim() ? text : text.startsWith(indent) ? text.slice(indent.length) : text;
}

/** An exception and all those behind it, the one that ended the process first. */
export function chainOf(raised: Raised): Raised[] {
  const chain: Raised[] = [];
  const waiting = [raised];
  for (let each = waiting.pop(); each && chain.length < LONGEST_CHAIN; each = waiting.pop()) {
    chain.push(each);
    if (each.from) waiting.push(each.from);
    waiting.push(...each.members.toReversed());
  }
  return chain;
}

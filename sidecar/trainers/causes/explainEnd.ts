import { createHash } from 'node:crypto';
import type { Exit, Explanation } from '../dialect.js';
import { type Clue, type EndedSession, flagIn, type KnownCause } from './cause.js';
import { type EndEvidence, readEvidence } from './endEvidence.js';
import { KNOWN_CAUSES } from './knownCauses.js';
import { OUT_OF_RAM } from './machineCauses.js';
import { chainOf, type Raised } from './tracebacks.js';

/**
 * Why a training ended, from what its attempt printed and how its process ended. Evidence is weighed: the kernel's counter
 * before words, the exception that ended the process before those it was raised from, the process that failed first before
 * the others, native code's last words where there was no exception. Where no known cause is certain, the trainer's own last
 * words are told: a wrong remedy costs more than none. After exit 0 only known causes count. Pure.
 */
export function explainEnd(log: string, exit: Exit, session: EndedSession = { argv: [] }): Explanation {
  if (exit.oomKilled) return { code: 'ram', words: OUT_OF_RAM, again: null };
  const evidence = readEvidence(log, exit);
  const context = { evidence, exit, session };
  const silent = withoutError(evidence, exit);
  if (silent) return silent;
  for (const raised of evidence.raised) {
    const known = ofChain(raised, context);
    if (known) return known;
  }
  const known =
    ofText(evidence.usage && `usage: ${evidence.usage}\n${evidence.usage}`, context) ??
    ofText(evidence.abort, context) ??
    ofText(evidence.raised.length === 0 ? evidence.lastWords : null, context, ({ said }) => said === true);
  if (known) return known;
  return bySignal(evidence, exit, session) ?? unknown(evidence, exit);
}

type Context = Pick<Clue, 'evidence' | 'exit' | 'session'>;

/** The outermost exception first; where that is known only vaguely, one behind it that says more. */
function ofChain(raised: Raised, context: Context): Explanation | null {
  let vague: Explanation | null = null;
  const chain = chainOf(raised);
  for (const each of chain) {
    const text = `${each.type}: ${each.message}`.trimEnd();
    // Whoever raised it anew has the frames of his own; those behind it belong to the story too.
    const clue = { ...context, text, frames: chain.flatMap(({ frames }) => frames) };
    const found = matching(clue);
    if (!found) continue;
    if (!found.cause.vague) return told(found, clue);
    vague ??= told(found, clue);
  }
  return vague;
}

function ofText(text: string | null, context: Context, which?: (cause: KnownCause) => boolean): Explanation | null {
  if (!text) return null;
  const clue = { ...context, text, frames: [] };
  const found = matching(clue, which);
  return found ? told(found, clue) : null;
}

type Found = { cause: KnownCause; match: RegExpExecArray };

/** The first known cause that the clue holds. One that is vague only where no other is known. */
function matching(clue: Clue, which: (cause: KnownCause) => boolean = () => true): Found | null {
  let vague: Found | null = null;
  const bare = withoutNames(clue.text);
  for (const cause of KNOWN_CAUSES.filter(which)) {
    const match = cause.pattern.test(bare) ? cause.pattern.exec(clue.text) : null;
    if (!match || !(cause.needs?.(clue) ?? true)) continue;
    const { unless } = cause;
    if (unless && (unless instanceof RegExp ? unless.test(clue.text) : unless(clue))) continue;
    if (!cause.vague) return { cause, match };
    vague ??= { cause, match };
  }
  return vague;
}

/**
 * A picture may be called "No space left on device.png", and a prompt may speak of anything: what is quoted and has a space
 * is a name where it looks like a file, and somebody's text where it is all of a message, or follows a colon.
 */
function withoutNames(text: string): string {
  return text.replace(QUOTED, (whole, before: string, quoted: string) =>
    quoted.includes(' ') && (NAME.test(quoted) || (before !== '' && SOMEBODYS.test(quoted)))
      ? `${before}${quoted[0]}…${quoted[0]}`
      : whole,
  );
}

/** With what stands before it; not after `message: `, as Rust writes its own errors. */
const QUOTED = /((?<!\bmessage): |)('[^'\n]{1,1000}'|"[^"\n]{1,1000}")/g;
const NAME = /^.(?:\.{0,2}\/|[a-zA-Z]:\\)|\.\w{2,11}.$/;
/** numpy raises a KeyError of such words for a cache. */
const SOMEBODYS = /^.[\p{L}\d](?!.* is not a file in the archive)/u;

function told({ cause, match }: Found, clue: Clue): Explanation {
  const words =
    typeof cause.words === 'string'
      ? cause.words.replace(/\$([&\d])/g, (_, group) => shortened(match[group === '&' ? 0 : Number(group)] ?? ''))
      : cause.words(clue, match);
  return { code: cause.id, words, again: cause.byHand ? 'by hand' : cause.repeats ? 'repeats' : null };
}

/**
 * sd-scripts ends with exit code 0 where it found no pictures (train_network.py:576) and where a module made no network
 * (train_network.py:688): both say so, and neither is an exception.
 */
function withoutError(evidence: EndEvidence, exit: Exit): Explanation | null {
  if (exit.code !== 0) return null;
  const said = evidence.saidBefore;
  if (said.some((words) => /^No data found\b/.test(words))) {
    return ofText('No data found', { evidence, exit, session: { argv: [] } });
  }
  const module = said.flatMap((words) => /^import network module: (\S+)/.exec(words)?.[1] ?? [])[0];
  const words = `The network module ${module} made no network from these settings, so nothing was trained. Choose another module, or check its arguments and the weights that it was given.`;
  if (module && !said.some((each) => each.startsWith('prepare optimizer'))) {
    return { code: 'no_network', words, again: 'repeats' };
  }
  return { code: null, words: null, again: 'repeats' };
}

const SIGNALS: Record<string, { code: string; words: string; byHand?: true }> = {
  SIGKILL: {
    code: 'killed',
    words:
      'The trainer was killed (SIGKILL) and said nothing about it: most likely the pod ran out of memory (RAM). Use fewer loader workers, or a pod with more memory, then resume.',
  },
  SIGBUS: {
    code: 'shm',
    words:
      'The trainer was ended by SIGBUS: most likely the shared memory (/dev/shm) is too small. Set loader workers to 0, then resume.',
  },
  SIGSEGV: {
    code: 'crash',
    words:
      'The trainer crashed ($signal), inside one of its libraries. Its log shows what it did last; the first things to check are the versions of torch and of the driver.',
  },
  SIGILL: {
    code: 'crash',
    words:
      'The trainer crashed (SIGILL): a library was built for a newer processor than this one. Reinstall it, or use another pod.',
  },
  SIGINT: { code: 'interrupted', words: 'The trainer was interrupted (SIGINT), as by Ctrl-C.', byHand: true },
  SIGTERM: {
    code: 'ended_by_signal',
    words: 'The trainer was ended by SIGTERM, sent to its process by something other than this page.',
    byHand: true,
  },
};
const KILLED = "The trainer was killed from outside (SIGKILL); the pod's out-of-memory counter did not move.";

function bySignal(evidence: EndEvidence, exit: Exit, { argv }: EndedSession): Explanation | null {
  const { signal, raised, abort } = evidence;
  if (signal === null || raised.length > 0) return null;
  const byHand = /^SIG(?:HUP|QUIT)$/.test(signal) ? 'by hand' : null;
  if (signal === 'SIGKILL' && exit.oomKills === 0) return { code: 'killed', words: KILLED, again: null };
  // Without loader workers nothing lies in /dev/shm.
  const known =
    signal === 'SIGBUS' && flagIn(argv, 'max_data_loader_n_workers') === '0' ? SIGNALS.SIGSEGV : SIGNALS[signal];
  if (known)
    return { code: known.code, words: known.words.replace('$signal', signal), again: known.byHand ? 'by hand' : null };
  const last = shortened((abort ?? '').split('\n')[0] ?? '') || evidence.lastWords;
  const words = `The trainer was ended by ${signal}.${last && signal === 'SIGABRT' ? ` Its last words: “${shortened(last)}”` : ''}`;
  return { code: signal === 'SIGABRT' ? 'crash' : 'ended_by_signal', words, again: byHand };
}

/** Two ends of the same code are the same failure, also where nobody knows what it is. */
function unknown({ raised, lastWords, code }: EndEvidence, exit: Exit): Explanation {
  // What a loader worker raised says more than that it did.
  const last = raised[0] && /^Caught \w+ in /.test(raised[0].message) ? (raised[0].from ?? raised[0]) : raised[0];
  if (last) {
    const line = last.message
      .split('\n')
      .find((each) => each.trim() !== '')
      ?.trim();
    const said = line ? `${last.type}: ${line}` : last.type;
    return {
      code: `exception:${last.type.split('.').at(-1)}:${fingerprint(said)}`,
      words: `The trainer stopped with an error: ${shortened(said)}`,
      again: /^(?:ImportError|ModuleNotFoundError)$/.test(last.type) ? 'repeats' : null,
    };
  }
  if (exit.code === null) return { code: null, words: null, again: null };
  const ended = `The trainer ended with exit code ${code ?? exit.code}.`;
  if (lastWords === null) return { code: `exit:${code ?? exit.code}`, words: ended, again: null };
  return {
    code: `exit:${code ?? exit.code}:${fingerprint(lastWords)}`,
    words: `${ended} Its last words: “${shortened(lastWords)}”`,
    again: null,
  };
}

/** Of the words without the numbers in them: addresses and sizes differ from one end to the next. */
function fingerprint(words: string): string {
  return createHash('sha256')
    .update(words.replace(/0x[0-9a-f]+|\d+/gi, '0'))
    .digest('hex')
    .slice(0, 8);
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

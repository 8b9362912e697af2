import type { Exit } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';
import type { EndEvidence } from './endEvidence.js';

/** What a remedy may name of the session that ended. */
export type EndedSession = {
  /** The command that ran, for what is set in it; empty where it is not known. */
  argv: readonly string[];
};

/** One exception, or the last words of native code, as a cause is looked for in them. */
export type Clue = {
  /** `type: message`, all lines. */
  text: string;
  /** `file:function` of each frame; empty for native code. */
  frames: readonly string[];
  evidence: EndEvidence;
  exit: Exit;
  session: EndedSession;
};

/** A cause that is known: data, with what it needs to be believed. */
export type KnownCause = {
  /** Kept beside the reason, for programs. */
  id: string;
  /** What it is known by. Its groups are `$1`, `$2` in the words. */
  pattern: RegExp;
  /** Not where this stands in the same text, or where something else speaks against it. */
  unless?: RegExp | ((clue: Clue) => boolean);
  /** Only where this holds too. */
  needs?: (clue: Clue) => boolean;
  /** What happened and what to do, for people. */
  words: string | ((clue: Clue, found: RegExpExecArray) => string);
  /** Believed from the last line of a trainer that ended without an exception, too. */
  said?: true;
  /** Trying again without a change ends in the same way. */
  repeats?: true;
  /** Somebody's hand: never tried again by itself. */
  byHand?: true;
  /** Says little by itself: a cause behind it, if one is known, is the better one. */
  vague?: true;
};

/** The value of a flag in a command, `--name=value` or `--name value`; '' for a bare flag, null where it is not there. */
export function flagIn(argv: readonly string[], name: string): string | null {
  const value = flagValue(argv, `--${name}`);
  if (value === null) return argv.includes(`--${name}`) ? '' : null;
  return value.startsWith('--') ? '' : value;
}

/** The Python that ran the trainer, for a command that a person can paste. */
export function pythonOf({ argv }: EndedSession): string {
  return argv.find((each) => /(?:^|\/)python[\d.]*$/.test(each)) ?? 'python3';
}

/** How the verbs that ask and change sessions end, so that scripts can tell. A refusal's code follows its HTTP status. */
export const EXIT = {
  done: 0,
  /** Anything else that went wrong; a check of `doctor` that failed. */
  failed: 1,
  /** A flag or an argument that makes no sense. */
  usage: 2,
  /** No such session, attempt or file. */
  missing: 3,
  /** It is not the time for that: it runs already, does not run, or is stopping. */
  conflict: 4,
  /** The request itself is refused: a value that can't be, or something that lacks. */
  refused: 5,
  /** No sidecar answers at --url, or it does not accept the token. */
  unreachable: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What stands below the help of every verb. */
export const EXIT_HELP = `
Exit codes:
  0  done
  1  failed, or something unexpected
  2  a flag or an argument makes no sense
  3  no such session, attempt or file
  4  not now: it runs already, does not run, or is stopping
  5  the request was refused: a value is wrong, or something lacks
  6  no sidecar answers at --url, or it does not accept the token`;

/** An error that ends the command, with its words for people and, for --json, the answer of the API; null if it was printed. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly exit: ExitCode,
    message: string,
    readonly answer: unknown = { error: { code: 'failed', message } },
  ) {
    super(message);
  }
}

export function exitOf(status: number): ExitCode {
  if (status === 401 || status === 429) return EXIT.unreachable;
  if (status === 404) return EXIT.missing;
  if (status === 409) return EXIT.conflict;
  return status < 500 ? EXIT.refused : EXIT.failed;
}

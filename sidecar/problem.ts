import type { ProblemCode } from './problemStatus.js';

/** The subject of a message, which pages link. `newFrom`: a new training with the settings of a session. */
export type Subject =
  | { session: string }
  | { history: string }
  | { newFrom: string }
  | { dataset: string }
  | { lora: string }
  | 'trash'
  | 'sessions'
  | 'datasets'
  | 'models'
  | 'secrets'
  | 'trainers'
  | 'templates'
  | 'sweeps';

/**
 * An error with a message for people. Every error on a page or in an API answer is a Problem; any other error is a bug of
 * ours, answered with 500.
 *
 * @example throw new Problem('name_taken', 'my-cat is already training.', { about: { session: 'my-cat' } })
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** What happened: a sentence. */
  readonly what: string;
  /** A sentence on what was not lost, if a person would fear it: after something destructive or long. */
  declare readonly kept?: string | undefined;
  /** What to do now, if that is a sentence of its own. */
  declare readonly todo?: string | undefined;
  /** The form field of the message, as named in the request. */
  declare readonly field?: string | undefined;
  /** The subject, for a link. */
  declare readonly about?: Subject | undefined;
  /** One message per field, if several fields are wrong. */
  declare readonly fields?: Record<string, string> | undefined;
  /** Seconds until another try makes sense. */
  declare readonly retryAfter?: number | undefined;
  /** The message without the file's name at its beginning, for a list that shows the name itself. */
  readonly afterName: string | undefined;

  constructor(
    readonly code: ProblemCode,
    /** What happened: a sentence; of `file`, whose name is put before it. */
    what: string,
    { file, ...facts }: More = {},
  ) {
    super(sentences(file, what, facts.kept, facts.todo));
    this.what = sentences(file, what);
    this.afterName = file === undefined ? undefined : sentences(what, facts.kept, facts.todo);
    Object.assign(this, facts);
  }

  /** The message before anything was tried, when nothing can have been lost. */
  get ahead(): string {
    return sentences(this.what, this.todo);
  }
}

type More = { file?: string } & Partial<Pick<Problem, 'kept' | 'todo' | 'field' | 'about' | 'fields' | 'retryAfter'>>;

function sentences(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(' ');
}

/** A field of a form that is missing or wrong, in a sentence. */
export function badField(field: string, message: string): Problem {
  return new Problem('bad_fields', message, { field });
}

import type { ProblemCode } from './problemStatus.js';

/** What a message is about; the pages know where that is shown. `newFrom`: a new training with the settings of a session. */
export type Subject =
  | { session: string }
  | { history: string }
  | { newFrom: string }
  | { dataset: string }
  | 'sessions'
  | 'datasets'
  | 'models'
  | 'secrets'
  | 'trainers';

type More = {
  kept?: string;
  todo?: string;
  field?: string;
  about?: Subject;
  fields?: Record<string, string>;
  retryAfter?: number;
};

/**
 * Something a person has to know. Every error that reaches a page or an
 * API answer is one of these; anything else is a bug of ours and is answered with 500.
 *
 * @example throw new Problem('name_taken', 'my-cat is already training.', { about: { session: 'my-cat' } })
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** What was not lost, where a person would fear it: after something that destroys, or that took long. A sentence. */
  readonly kept: string | undefined;
  /** What to do now, where that is a sentence of its own. */
  readonly todo: string | undefined;
  /** The form field the message belongs to, as named in the request. */
  readonly field: string | undefined;
  /** Where to go from here. */
  readonly about: Subject | undefined;
  /** One message a field, where several fields are wrong at once. */
  readonly fields: Record<string, string> | undefined;
  /** Seconds after which it is worth another try. */
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: ProblemCode,
    /** What happened: a sentence. */
    readonly what: string,
    more: More = {},
  ) {
    super(sentences(what, more.kept, more.todo));
    this.kept = more.kept;
    this.todo = more.todo;
    this.field = more.field;
    this.about = more.about;
    this.fields = more.fields;
    this.retryAfter = more.retryAfter;
  }

  /** As it is said before anything was tried, when nothing can have been lost. */
  get ahead(): string {
    return sentences(this.what, this.todo);
  }
}

function sentences(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(' ');
}

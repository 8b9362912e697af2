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

type More = { field?: string; about?: Subject; fields?: Record<string, string>; retryAfter?: number };

/**
 * Something a person has to know: what happened, what was not lost, what to do. Every error that reaches a page or an
 * API answer is one of these; anything else is a bug of ours and is answered with 500.
 *
 * @example throw new Problem('name_taken', 'my-cat is training already.', { about: { session: 'my-cat' } })
 */
export class Problem extends Error {
  override readonly name = 'Problem';
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
    message: string,
    more: More = {},
  ) {
    super(message);
    this.field = more.field;
    this.about = more.about;
    this.fields = more.fields;
    this.retryAfter = more.retryAfter;
  }
}

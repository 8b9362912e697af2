/**
 * Something a person has to know: what happened, what was not lost, what to do. Every error that reaches a page or an
 * API answer is one of these; anything else is a bug of ours and is answered with 500.
 *
 * @example throw new Problem('name_taken', 409, 'my-cat is training already.', { link: 'sessions/my-cat' })
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** The form field the message belongs to, as named in the request. */
  readonly field: string | undefined;
  /** Where to go from here, relative to the root of the site. */
  readonly link: string | undefined;
  /** One message a field, where several fields are wrong at once. */
  readonly fields: Record<string, string> | undefined;
  /** Seconds after which it is worth another try. */
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: string,
    readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503 | 507,
    message: string,
    more: { field?: string; link?: string; fields?: Record<string, string>; retryAfter?: number } = {},
  ) {
    super(message);
    this.field = more.field;
    this.link = more.link;
    this.fields = more.fields;
    this.retryAfter = more.retryAfter;
  }
}

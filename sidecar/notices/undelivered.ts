/** A notice that was not taken. `again`: later it may be. */
export class Undelivered extends Error {
  constructor(
    /** A sentence for people, without addresses: they may hold secrets. */
    message: string,
    readonly again: boolean,
    /** Seconds to wait at least, as the server asked for. */
    readonly afterSeconds = 0,
  ) {
    super(message);
  }
}

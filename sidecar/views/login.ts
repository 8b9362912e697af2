export type LoginModel = {
  root: string;
  /** Where to go once logged in, relative to the site's root. */
  back: string;
  message: string | null;
  /** The message refuses what was entered. */
  wrong: boolean;
  /** The same address once more, to be asked at once: the browser may have held its login back. */
  again: string | null;
};

/**
 * What somebody should know before a training starts, with its remedy. With an error it could not run, or would end at once;
 * with a warning it runs, perhaps not as meant.
 */
export type Finding = {
  severity: 'error' | 'warning';
  code: string;
  /** What, and what to do: for people. */
  message: string;
  /** The form field it belongs to. */
  field?: string;
  /** Where to mend it, relative to the root of the site. */
  link?: string;
};

type More = Pick<Finding, 'field' | 'link'>;

export function error(code: string, message: string, more: More = {}): Finding {
  return { severity: 'error', code, message, ...more };
}

export function warning(code: string, message: string, more: More = {}): Finding {
  return { severity: 'warning', code, message, ...more };
}

/** A line of a session's log, and what it is. */
export type LogRow = {
  /** Its number in training.log, from 1. */
  n: number;
  text: string;
  /** Bytes that are not shown of one that is too long. */
  cut: number;
  kind: 'bar' | 'error' | 'warning' | 'traceback' | 'attempt' | null;
  attempt: number | null;
  /** The absolute step where the trainer's own, in its bar, counts from a resume. */
  step: number | null;
  /** When it had arrived whole, to the second; null where nobody saw it, or it is unfinished. */
  arrived_at: string | null;
};

export type LogRows = {
  /** Lines in all; the last may be unfinished. */
  total: number;
  rows: LogRow[];
  /** `<inode>:<number of the last line>`, from where a stream goes on. */
  position: string;
};

/** Where each attempt begins, and the lines of failures and warnings, of many the first. */
export type LogLandmarks = {
  total: number;
  attempts: { number: number; kind: string; started_at: string; line: number }[];
  errors: number[];
  errorCount: number;
  warnings: number[];
  warningCount: number;
};

/** New and changed rows of a log; a row of a number that is there already replaces it. */
export type RowsPiece = {
  position: string;
  total: number;
  rows: LogRow[];
  /** The log is another one, or much was missed: these are its last rows. */
  reset?: true;
};

import type { Htmx } from 'htmx.org';
import type { Taken, UploadFacts } from '../sidecar/datasets/uploads/facts.js';

/** What the browser's scripts know of each other and of the server's answers. */
declare global {
  /** Of trackside.js. Other scripts ask for `globalThis.htmx`: it may not have arrived. */
  var htmx: Htmx;
  /** Of sending.js. */
  var sending: { sendFile: SendFile; makeDataset: MakeDataset } | undefined;

  type SendFile = (asked: {
    folder: string;
    file: File;
    told: (news: News) => void;
    signal: AbortSignal;
  }) => Promise<Outcome>;

  /** Resolves to the dataset's name as the server spells it, and whether it was made now. */
  type MakeDataset = (asked: {
    root: string;
    name: string;
    told: (news: News) => void;
    signal: AbortSignal;
  }) => Promise<{ name: string; made: boolean }>;

  /** How a file is getting on. */
  type News = {
    /** Bytes that are safe on the server. */
    arrived?: number;
    /** Seconds until the next try, and why. */
    waiting?: { seconds: number; why: string } | null;
    unpacked?: UploadFacts['unpacked'];
    over?: boolean;
  };

  type Outcome = Pick<Taken, 'accepted' | 'converted' | 'notes'> & {
    refused: Omit<Taken['refused'][number], 'code'>[];
  };
  type Upload = UploadFacts;
}

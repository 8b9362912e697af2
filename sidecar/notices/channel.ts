import type { Notice } from './notice.js';

/** A value that a person enters for a channel. */
export type ChannelField = {
  name: string;
  label: string;
  /** Entered once, and never shown again. */
  secret?: true;
  optional?: true;
  /** What it has to be. */
  is?: 'address' | 'email' | 'port' | 'lines';
  /** Taken where nothing is entered. */
  fallback?: string;
  placeholder?: string;
  help?: string;
  choices?: readonly { value: string; label: string }[];
};

/** A notice with its picture, as it is sent. */
export type Message = Notice & { image: Image | null };
export type Image = { name: string; type: string; bytes: Uint8Array<ArrayBuffer> };

/** A way to tell people. */
export type Channel = {
  id: string;
  name: string;
  /** What it is, and where its values are had. */
  what: string;
  fields: readonly ChannelField[];
  /** Why it can't be used on this machine, in words; null if it can. */
  missing?(): Promise<string | null>;
  /** Sends one. Throws Undelivered. */
  send(values: Record<string, string>, message: Message): Promise<void>;
};

/**
 * A value of another tool's file: `from` is its name there, `name` ours: a setting's, or a flag of sd-scripts, which is the
 * language that all of these files come down to. Null where nothing of ours has its place; `why` then says so.
 */
export type Said = { from: string; name: string | null; value: unknown; why?: string };

/** What a file of another tool says; nothing of it was checked. */
export type ForeignFile = {
  /** "the metadata of a LoRA" */
  kind: string;
  /** Which trainer it is for; null where it does not tell. */
  trainer: string | null;
  said: Said[];
  /** It says how pictures are trained, whatever the trainer. */
  anyTrainer?: true;
};

/** A file that says nothing we could take; the message is a sentence. */
export class ForeignFileError extends Error {}

export function noPlace(from: string, value: unknown, why: string): Said {
  return { from, name: null, value, why };
}

/** "512", 512, [512, 512] and "(512, 512)" are one size; null for what is no square. */
export function squareSide(value: unknown): string | null {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  const sides = text.replace(/[()[\]\s]/g, '').split(',');
  const [width = '', height = width] = sides;
  return sides.length <= 2 && width === height && /^\d{1,5}$/.test(width) ? width : null;
}

/** The last part of a path of any system: "C:\\models\\a.safetensors" → "a.safetensors". */
export function lastPart(path: unknown): string {
  return String(path).split(/[/\\]/).filter(Boolean).at(-1) ?? '';
}

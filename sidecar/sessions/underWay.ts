/** What this Trackside is about to do and no file tells yet. */
export type UnderWay = {
  /** Sessions in which an attempt is being begun. */
  beginning: Set<string>;
  /** The session that is about to have a GPU, by nvidia-smi's index. */
  gpus: Map<number, string>;
  /** The names of the sessions that forms are being made into, by the form's id. */
  forms: Map<string, Promise<string>>;
};

export function nothingUnderWay(): UnderWay {
  return { beginning: new Set(), gpus: new Map(), forms: new Map() };
}

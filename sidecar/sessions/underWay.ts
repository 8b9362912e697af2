/** Work that this Trackside has begun and no file tells yet. */
export type UnderWay = {
  /** Sessions with an attempt about to start. */
  beginning: Set<string>;
  /** The session that has reserved a GPU, by nvidia-smi's index. */
  gpus: Map<number, string>;
  /** Names of the sessions being made, by the form's id. */
  forms: Map<string, Promise<string>>;
};

export function nothingUnderWay(): UnderWay {
  return { beginning: new Set(), gpus: new Map(), forms: new Map() };
}

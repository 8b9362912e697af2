export type UnderWay = ReturnType<typeof nothingUnderWay>;

/** Work that this Trackside has begun and no file tells yet. */
export function nothingUnderWay() {
  return {
    /** Sessions with an attempt about to start. */
    beginning: new Set<string>(),
    /** The session that has reserved a GPU, by nvidia-smi's index. */
    gpus: new Map<number, string>(),
    /** Names of the sessions being made, by the form's id. */
    forms: new Map<string, Promise<string>>(),
  };
}

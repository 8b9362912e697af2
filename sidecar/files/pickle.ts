/** A number or a text of a pickle, or null for anything else that stands there. */
type Told = number | string | null;

/**
 * Finds what follows each of these texts in a pickle, for the first time it occurs: the values of a dictionary's keys,
 * where they are plain numbers; for a tensor of torch.save the name of its storage. Runs none of it. A pickle that uses
 * what torch.save does not use is read as far as it is known.
 */
export function readPickleKeys(pickle: Buffer, keys: readonly string[]): Map<string, number | string> {
  const found = new Map<string, number | string>();
  let key: string | null = null;
  let storage = false;
  for (const told of values(pickle)) {
    if (storage && typeof told === 'string') {
      found.set(key ?? '', told);
      [key, storage] = [null, false];
    } else if (key !== null && typeof told === 'number') {
      if (!storage) found.set(key, told);
      if (!storage) key = null;
    } else if (told === 'storage' && key !== null) storage = true;
    else if (typeof told === 'string') key = keys.includes(told) && !found.has(told) ? told : null;
    else if (told === null && !storage) key = null;
  }
  return found;
}

/** Bytes of arguments behind an opcode that neither is a value nor ends the one before (pickletools). */
const SILENT: Record<number, number> = Object.fromEntries([
  ...'q'.split('').map((op) => [op.charCodeAt(0), 1]),
  ...'r'.split('').map((op) => [op.charCodeAt(0), 4]),
  [0x80, 1],
  [0x95, 8],
  [0x94, 0],
  ...'('.split('').map((op) => [op.charCodeAt(0), 0]),
]);
/** The same of opcodes that make something else of it. */
const OTHER: Record<number, number> = Object.fromEntries([
  ...'})]NReausb0lQ.td'.split('').map((op) => [op.charCodeAt(0), 0]),
  ...[0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x93].map((op) => [op, 0]),
  ['h'.charCodeAt(0), 1],
  ['j'.charCodeAt(0), 4],
]);

function* values(pickle: Buffer): Generator<Told> {
  for (let at = 0; at < pickle.length; ) {
    const op = pickle[at] ?? 0;
    const letter = String.fromCharCode(op);
    at += 1;
    const silent = SILENT[op];
    const other = OTHER[op];
    if (silent !== undefined) at += silent;
    else if (other !== undefined) {
      at += other;
      yield null;
    } else if (letter === 'c') {
      // A class by name, as torch.FloatStorage: two lines. No end of a tensor's key.
      for (const _ of [1, 2]) at = pickle.indexOf(10, at) + 1 || pickle.length;
    } else {
      const read = plain(pickle, op, at);
      if (!read) return;
      at = read.next;
      yield read.value;
    }
  }
}

/** A number or a text; null for an opcode that is not known here, or past the end. */
function plain(pickle: Buffer, op: number, at: number): { value: Told; next: number } | null {
  const room = pickle.length - at;
  const text = (head: number, length: number) =>
    head + length > room
      ? null
      : { value: pickle.toString('utf8', at + head, at + head + length), next: at + head + length };
  switch (op) {
    case 0x4b:
      return room < 1 ? null : { value: pickle.readUInt8(at), next: at + 1 };
    case 0x4d:
      return room < 2 ? null : { value: pickle.readUInt16LE(at), next: at + 2 };
    case 0x4a:
      return room < 4 ? null : { value: pickle.readInt32LE(at), next: at + 4 };
    case 0x47:
      return room < 8 ? null : { value: pickle.readDoubleBE(at), next: at + 8 };
    case 0x8a: {
      const length = room < 1 ? 9 : pickle.readUInt8(at);
      if (length > 6 || length >= room) return null;
      return { value: length === 0 ? 0 : pickle.readIntLE(at + 1, length), next: at + 1 + length };
    }
    case 0x58:
      return room < 4 ? null : text(4, pickle.readUInt32LE(at));
    case 0x8c:
      return room < 1 ? null : text(1, pickle.readUInt8(at));
    default:
      return null;
  }
}

export type ScalarPoint = {
  tag: string;
  /** The trainer's own: most tags count from the last resume (sd-scripts.md, section 5). */
  step: number;
  value: number;
  /** Seconds since 1970. */
  wallTime: number;
};

/**
 * The numbers in one TensorBoard event: protobuf Event {1 wall_time: double, 2 step: varint, 5 Summary {1 Value {1 tag,
 * 2 simple_value: float}}} (tensorflow event.proto, summary.proto). Other content, or damage, gives no numbers.
 */
export function eventScalars(bytes: Buffer): ScalarPoint[] {
  let wallTime = 0;
  let step = 0;
  const values: { tag: string; value: number }[] = [];
  for (const { number, data, varint } of fields(bytes)) {
    if (number === 1 && data?.length === 8) wallTime = data.readDoubleLE();
    else if (number === 2 && varint !== null) step = Number(BigInt.asIntN(64, varint));
    else if (number === 5 && data) values.push(...summaryValues(data));
  }
  return values.map(({ tag, value }) => ({ tag, step, value, wallTime }));
}

function summaryValues(bytes: Buffer): { tag: string; value: number }[] {
  return fields(bytes).flatMap(({ number, data }) => {
    if (number !== 1 || !data) return [];
    const inside = fields(data);
    const tag = inside.find((field) => field.number === 1)?.data;
    const value = inside.find((field) => field.number === 2)?.data;
    return tag && value?.length === 4 ? [{ tag: tag.toString('utf8'), value: value.readFloatLE() }] : [];
  });
}

/** A field of a protobuf message: a varint, or the bytes of a fixed or length-delimited one. */
type Field = { number: number; data: Buffer | null; varint: bigint | null };

function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    if (!key) return found;
    at = key.end;
    const number = Number(key.value >> 3n);
    const wire = Number(key.value & 7n);
    if (wire === 0) {
      const varint = readVarint(bytes, at);
      if (!varint) return found;
      found.push({ number, data: null, varint: varint.value });
      at = varint.end;
      continue;
    }
    const length = wire === 2 ? readVarint(bytes, at) : { value: wire === 1 ? 8n : 4n, end: at };
    if (!length || ![1, 2, 5].includes(wire)) return found;
    const end = length.end + Number(length.value);
    if (end > bytes.length) return found;
    found.push({ number, data: bytes.subarray(length.end, end), varint: null });
    at = end;
  }
  return found;
}

function readVarint(bytes: Buffer, from: number): { value: bigint; end: number } | null {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return null;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, end: from + index + 1 };
  }
  return null;
}

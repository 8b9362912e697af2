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
 * 2 simple_value: float, 8 tensor}}} (tensorflow event.proto, summary.proto). Other content, or damage, gives no numbers.
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
    const plain = inside.find((field) => field.number === 2)?.data;
    const tensor = inside.find((field) => field.number === 8)?.data;
    const value = plain?.length === 4 ? plain.readFloatLE() : tensor ? tensorScalar(tensor) : null;
    return tag && value !== null ? [{ tag: tag.toString('utf8'), value }] : [];
  });
}

/**
 * The one number of a tensor, as TensorFlow 2 and `new_style` of torch write scalars; null for histograms, texts and all
 * others. TensorProto {1 dtype, 4 tensor_content, 5 float_val, 6 double_val, 7 int_val, 10 int64_val} (tensor.proto, types.proto).
 */
function tensorScalar(bytes: Buffer): number | null {
  const inside = fields(bytes);
  const dtype = Number(inside.find((field) => field.number === 1)?.varint ?? 0n);
  const value = inside.find(({ number }) => number === 4 || VALUES[dtype] === number);
  if (!value || !(dtype in VALUES)) return null;
  if (dtype >= INT32) return wholeNumber(value, dtype === INT32 ? 4 : 8);
  if (value.data?.length !== (dtype === 1 ? 4 : 8)) return null;
  return dtype === 1 ? value.data.readFloatLE() : value.data.readDoubleLE();
}

const INT32 = 3;
/** By dtype (float, double, int32, int64): the field of its values. */
const VALUES: Record<number, number> = { 1: 5, 2: 6, [INT32]: 7, 9: 10 };

function wholeNumber({ number, data, varint }: Field, size: number): number | null {
  const packed = data && number !== 4 ? readVarint(data, 0) : null;
  if (packed && packed.end !== data?.length) return null;
  const value = varint ?? packed?.value;
  if (value !== undefined) return Number(BigInt.asIntN(64, value));
  if (data?.length !== size) return null;
  return size === 4 ? data.readInt32LE() : Number(data.readBigInt64LE());
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

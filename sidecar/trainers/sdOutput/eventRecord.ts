import type { MetricValue } from '../dialect.js';

/**
 * The numbers in one TensorBoard event: protobuf Event {1 wall_time: double, 2 step: varint, 5 Summary {1 Value {1 tag,
 * 2 simple_value: float, 8 tensor}}} (tensorflow event.proto, summary.proto). Other content, or damage, gives no numbers.
 */
export function eventScalars(bytes: Buffer): MetricValue[] {
  let wallTime = 0;
  let step = 0;
  const values: { tag: string; value: number }[] = [];
  for (const { number, data, varint } of fields(bytes)) {
    if (number === 1 && data?.length === 8) wallTime = data.readDoubleLE();
    else if (number === 2 && varint !== null) step = Number(BigInt.asIntN(64, varint));
    else if (number === 5 && data) values.push(...summaryValues(data));
  }
  // A step that is none places its numbers nowhere.
  if (!Number.isSafeInteger(step) || step < 0) return [];
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
 * others. TensorProto {1 dtype, 4 tensor_content, 5 float_val, …, 13 half_val} (tensor.proto, types.proto).
 */
function tensorScalar(bytes: Buffer): number | null {
  const inside = fields(bytes);
  const type = TYPES[Number(inside.find((field) => field.number === 1)?.varint ?? 0n)];
  if (!type) return null;
  const content = inside.find(({ number }) => number === 4)?.data;
  if (content) return content.length === type.size ? type.read(content) : null;
  const value = inside.find(({ number }) => number === type.field);
  return value ? readValue(value, type) : null;
}

function readValue({ data, varint }: Field, { field, size, read }: NumberType): number | null {
  if (field === FLOAT || field === DOUBLE) return data?.length === size ? read(data) : null;
  const packed = data ? readVarint(data, 0) : null;
  if (packed && packed.end !== data?.length) return null;
  const value = varint ?? packed?.value;
  if (value === undefined) return null;
  return field === HALF ? read(twoBytes(value)) : Number(BigInt.asIntN(64, value));
}

/** The field of a type's values, its bytes, and how these are read. */
type NumberType = { field: number; size: number; read: (bytes: Buffer) => number };

const [FLOAT, DOUBLE, INT, INT64, BOOL, HALF] = [5, 6, 7, 10, 11, 13];

/** By dtype. */
const TYPES: Readonly<Record<number, NumberType>> = {
  1: { field: FLOAT, size: 4, read: (bytes) => bytes.readFloatLE() },
  2: { field: DOUBLE, size: 8, read: (bytes) => bytes.readDoubleLE() },
  3: { field: INT, size: 4, read: (bytes) => bytes.readInt32LE() },
  4: { field: INT, size: 1, read: (bytes) => bytes.readUInt8() },
  5: { field: INT, size: 2, read: (bytes) => bytes.readInt16LE() },
  6: { field: INT, size: 1, read: (bytes) => bytes.readInt8() },
  9: { field: INT64, size: 8, read: (bytes) => Number(bytes.readBigInt64LE()) },
  10: { field: BOOL, size: 1, read: (bytes) => bytes.readUInt8() },
  14: { field: HALF, size: 2, read: brainFloat },
  17: { field: INT, size: 2, read: (bytes) => bytes.readUInt16LE() },
  19: { field: HALF, size: 2, read: halfFloat },
};

function twoBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(Number(value & 0xffffn));
  return bytes;
}

/** The upper half of a float. */
function brainFloat(bytes: Buffer): number {
  return Buffer.concat([Buffer.alloc(2), bytes]).readFloatLE();
}

/** IEEE 754: a sign, 5 bits of exponent, 10 of fraction. */
function halfFloat(bytes: Buffer): number {
  const bits = bytes.readUInt16LE();
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
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

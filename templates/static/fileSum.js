/* The checksum of what arrived of a file: are these the same bytes on both sides? */
const BLOCK = 8 * 1024 * 1024;

/**
 * CRC-32 over the beginning of a file, as 8 hex digits; goes on where it was asked for last.
 *
 * @param {File} file
 * @param {() => never} unreadable Throws where the file can't be read any more.
 */
export function runningSum(file, unreadable) {
  let last = { at: 0, crc: 0 };
  let before = last;
  return {
    /** @param {number} end */
    async upTo(end) {
      let { at, crc } = [last, before].find((each) => each.at <= end) ?? { at: 0, crc: 0 };
      while (at < end) {
        const bytes = new Uint8Array(
          await file
            .slice(at, Math.min(end, at + BLOCK))
            .arrayBuffer()
            .catch(unreadable),
        );
        crc = crc32(bytes, crc);
        at += bytes.length;
      }
      before = last;
      last = { at, crc };
      return crc.toString(16).padStart(8, '0');
    },
  };
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** @param {Uint8Array} bytes @param {number} before */
function crc32(bytes, before) {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

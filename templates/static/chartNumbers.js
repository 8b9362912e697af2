/* Numbers as they stand beside and below a chart. */

/** @param {number} value @param {string} axis */
export function axisValue(value, axis) {
  if (axis !== 'wall' && axis !== 'process') {
    // short: the digits of a number
    return String(Math.round(value * 100) / 100).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, '\u202f');
  }
  const minutes = Math.round(value / 60);
  if (value < 120) return `${Math.round(value)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
}

/** @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

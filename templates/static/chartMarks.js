/* What stands in a chart and beside it, but for its lines: marks, colours, numbers. */

/**
 * Dashes for attempts with their numbers and for alerts, ticks below for checkpoints and samples (of many, as many as can be told
 * apart), crosses for what is no number.
 *
 * @param {import('./uplot.js').default} on @param {import('./chartPlot.js').Drawn} drawn
 */
export function drawMarks(on, drawn) {
  const { ctx, bbox } = on;
  const { min = 0, max = 0 } = on.scales.x ?? {};
  const isSeen = (/** @type {number} */ x) => x >= min && x <= max;
  const placeX = (/** @type {number} */ x) => on.valToPos(x, 'x', true);
  const scale = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 5 * scale, bbox.top, bbox.width + 10 * scale, bbox.height);
  ctx.clip();
  ctx.textAlign = 'left';
  ctx.lineWidth = scale;
  ctx.font = `${11 * scale}px system-ui`;
  const end = bbox.top + bbox.height;
  /** Where each kind was drawn last. @type {Record<string, number>} */
  const last = {};
  let row = 1;
  for (const { kind, x, label } of drawn.marks) {
    if (!isSeen(x)) continue;
    const at = Math.round(placeX(x));
    // An attempt or an alert.
    const dashed = kind[0] === 'a';
    const isNear = Math.abs(at - (last[kind] ?? -99)) < (dashed ? 14 : 4) * scale;
    if (isNear && !dashed) continue;
    // Numbers of attempts that begin at about the same step stand below each other.
    row = isNear ? row + 1 : 1;
    last[kind] = at;
    ctx.strokeStyle = ctx.fillStyle = colour(dashed ? '--stop' : kind === 'checkpoint' ? '--accent' : '--wait');
    ctx.setLineDash(dashed ? [4 * scale] : []);
    ctx.beginPath();
    ctx.moveTo(at, dashed ? bbox.top : end - (kind === 'checkpoint' ? 8 : 5) * scale);
    ctx.lineTo(at, end);
    ctx.stroke();
    if (kind === 'attempt') ctx.fillText(/\d+/.exec(label)?.[0] ?? '', at + 4 * scale, bbox.top + 12 * row * scale);
  }
  ctx.textAlign = 'center';
  ctx.setLineDash([]);
  ctx.strokeStyle = ctx.fillStyle = colour('--fail');
  for (const x of drawn.curve.odd) {
    if (isSeen(x)) ctx.fillText('×', placeX(x), bbox.top + 12 * scale);
  }
  for (const { x, y } of drawn.curve.spikes) {
    const at = Math.max(bbox.top + 4 * scale, on.valToPos(y, 'y', true));
    if (!isSeen(x)) continue;
    ctx.beginPath();
    ctx.arc(placeX(x), at, 4 * scale, 0, 7);
    ctx.stroke();
  }
  const { best } = drawn.curve;
  if (best && drawn.curve.tag.includes('loss') && isSeen(best.x)) {
    ctx.fillStyle = colour('--accent');
    ctx.beginPath();
    ctx.arc(placeX(best.x), on.valToPos(best.y, 'y', true), 4 * scale, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}

/** As elements of the class have it. @param {string} name */
export const colour = (name, className = '') => {
  probe.className = className;
  // light-dark() is resolved only in a property of an element.
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};
const probe = document.createElement('i');
probe.hidden = true;
document.body.append(probe);

/** @param {string} rgb @param {number} alpha */
export function mix(rgb, alpha) {
  return rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** @param {string} axis */
export const isTime = (axis) => axis === 'wall' || axis === 'process';

/** @param {number} value @param {string} axis */
export function axisValue(value, axis) {
  if (!isTime(axis)) {
    // short: the digits of a number
    return String(Math.round(value * 100) / 100).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, '\u202f');
  }
  const minutes = Math.round(value / 60);
  if (value < 120) return `${Math.round(value)} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60 ? String(minutes % 60).padStart(2, '0') : ''}`;
}

/** @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

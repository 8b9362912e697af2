/*
 * The page of charts. What is shown stands in the form and in the address; zooming asks the server for all points of the part,
 * new points come with the page's stream. Without it the pictures and tables of the page are there, and the form asks anew.
 */
import { createPlot } from './chartPlot.js';

/**
 * @typedef {import('../../sidecar/sessions/products/chartFacts.js').ToldCurve} Curve
 * @typedef {import('../../sidecar/sessions/products/chartFacts.js').Charts} Charts
 * @typedef {import('../../sidecar/sessions/products/chartFacts.js').ChartPiece} Piece
 * @typedef {Omit<Charts, 'curves'> & { curves: Curve[], others: { name: string, lora: string, version: number, version_name: string | null, colour: number, curves: Curve[] }[] }} Facts
 */

const form = /** @type {HTMLFormElement} */ (document.getElementById('shown'));
const curves = /** @type {HTMLElement} */ (document.getElementById('curves'));
const whole = /** @type {HTMLAnchorElement} */ (document.getElementById('whole'));
const csv = /** @type {HTMLAnchorElement | null} */ (document.getElementById('csv'));
/** All points; without what is seen of the axis. */
const allPoints = csv ? new URL(csv.href) : null;
const smooth = /** @type {HTMLOutputElement} */ (document.getElementById('smooth'));
/** @type {Map<string, ReturnType<typeof createPlot>>} */
const plots = new Map();
/** @type {Facts | null} */
let facts = null;
let asked = new AbortController();
let waiting = 0;

form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('input', () => {
  smooth.value = field('smooth');
  clearTimeout(waiting);
  waiting = setTimeout(() => void load(), 120);
});
form.querySelector('[name=axis]')?.addEventListener('input', () => setRange(null, null));
whole.addEventListener('click', (event) => {
  event.preventDefault();
  zoom(null, null);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => location.reload());
document.querySelector('[data-stream]')?.addEventListener('log', (event) => {
  take(JSON.parse(/** @type {CustomEvent<{ data: string }>} */ (event).detail.data));
});
for (const figure of /** @type {NodeListOf<HTMLElement>} */ (curves.querySelectorAll('.curve'))) addTools(figure);
void load();

/** @param {string} name @returns {string} */
function field(name) {
  return String(new FormData(form).get(name) ?? '');
}

/** @param {number | null} from @param {number | null} to */
function setRange(from, to) {
  for (const [name, value] of Object.entries({ from, to })) {
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
    input.value = value === null ? '' : String(Number(value.toPrecision(8)));
  }
}

/** Within what there is; all of it where more is asked for. @param {number | null} from @param {number | null} to */
function zoom(from, to) {
  const [first, last] = [facts?.range.from ?? 0, endOfRange()];
  if (from === null || to === null || to - from >= last - first) setRange(null, null);
  else {
    const start = Math.max(first, Math.min(from, last - (to - from)));
    setRange(start, start + to - from);
  }
  // At once with the points that are there.
  draw();
  void load();
}

/** Where the axis ends if nothing is zoomed. */
function endOfRange() {
  if (!facts) return Number.POSITIVE_INFINITY;
  const { plan, to } = facts.range;
  return field('plan') && plan !== null ? plan : to;
}

/** The form as a query, without what says nothing. */
function query() {
  const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  return new URLSearchParams(given.filter(([, value]) => value !== ''));
}

async function load() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const shown = query();
  history.replaceState(null, '', `?${shown}`);
  if (csv && allPoints) {
    for (const name of ['axis', 'from', 'to']) allPoints.searchParams.set(name, field(name));
    csv.href = allPoints.href;
  }
  whole.hidden = !shown.has('from') && !shown.has('to');
  const first = curves.querySelector('.plot');
  const points = String(Math.max(200, Math.round((first?.clientWidth ?? 600) * 0.9)));
  try {
    const answer = await fetch(`${form.getAttribute('action')}?${shown}&points=${points}`, {
      signal,
      headers: { Accept: 'application/json' },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    facts = await answer.json();
    draw();
  } catch {
    if (!signal.aborted) smooth.value = 'no contact';
  }
}

function draw() {
  if (!facts) return;
  const { range, marks, others } = facts;
  const [from, to] = [field('from'), field('to')];
  const looks = {
    from: from ? Number(from) : range.from,
    to: to ? Number(to) : endOfRange(),
    axis: field('axis'),
    log: field('log') === '1',
    clip: field('clip') === '1',
  };
  for (const curve of facts.curves) {
    const figure = figureOf(curve.tag);
    if (!figure) continue;
    const with_ = others.flatMap(({ lora, version, version_name, colour, curves: theirs }) => {
      const same = theirs.find(({ tag }) => tag === curve.tag);
      return same ? [{ label: `${lora} ${version_name ?? `V${version}`}`, colour, curve: same }] : [];
    });
    if (!plots.has(curve.tag)) plots.set(curve.tag, createPlot(figure, zoom));
    plots.get(curve.tag)?.show({ curve, others: with_, marks }, looks);
    const element = figure.querySelector('.notes');
    if (element) element.textContent = curve.notes;
  }
}

/** A curve that has just begun gets its place when the page is loaded again. @param {string} tag @returns {HTMLElement | null} */
function figureOf(tag) {
  return curves.querySelector(`.curve[data-tag="${CSS.escape(tag)}"]`);
}

/** New points go behind the others; the mean goes on from its state. @param {Piece} piece */
function take({ points, anew }) {
  if (!facts) return;
  // The page has no place yet for a curve that has just begun.
  if (facts.curves.length === 0 || Object.keys(points).some((tag) => !figureOf(tag))) return location.reload();
  if (anew || facts.curves.some(({ raw }) => raw.x.length > 6000)) return void load();
  const weight = Number(field('smooth'));
  const { axis } = facts;
  const kind = field('axis');
  for (const curve of facts.curves) {
    for (const [step, value, time] of points[curve.tag] ?? []) {
      const [per, since] = [axis.stepsPerEpoch ?? 1, axis.attemptBegun - axis.before];
      const x = { step, epoch: step / per, wall: time - axis.begun, process: time - since }[kind] ?? 0;
      curve.raw.x.push(x);
      curve.raw.y.push(value);
      if (value === null) {
        curve.odd.push(x);
        curve.oddCount += 1;
        continue;
      }
      curve.mean.count += 1;
      curve.mean.sum = curve.mean.sum * weight + (1 - weight) * value;
      curve.smooth.x.push(x);
      curve.smooth.y.push(weight === 0 ? value : curve.mean.sum / (1 - weight ** curve.mean.count));
      facts.range.to = Math.max(facts.range.to, x);
    }
  }
  draw();
}

/** @param {HTMLElement} figure */
function addTools(figure) {
  figure.querySelector('.save')?.addEventListener('click', () => {
    const canvas = plots.get(figure.dataset.tag ?? '')?.canvas();
    if (canvas) saveAsPicture(canvas, figure.dataset.tag ?? 'chart');
  });
}

/** The chart with its title and its lines' names on paper. @param {HTMLCanvasElement} canvas @param {string} title */
function saveAsPicture(canvas, title) {
  const scale = devicePixelRatio;
  const picture = document.createElement('canvas');
  picture.width = canvas.width;
  picture.height = canvas.height + 50 * scale;
  const context = picture.getContext('2d');
  if (!context) return;
  const { color, backgroundColor } = getComputedStyle(document.body);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = color;
  context.font = `${13 * scale}px system-ui`;
  context.fillText(`${document.querySelector('h1')?.textContent} · ${title}`, 12 * scale, 20 * scale);
  let at = 12 * scale;
  for (const each of document.querySelectorAll('.legend li:not(.tick, .mark)')) {
    context.fillStyle = getComputedStyle(each, '::before').borderTopColor;
    const name = `― ${each.textContent}   `;
    context.fillText(name, at, 40 * scale);
    at += context.measureText(name).width;
  }
  context.drawImage(canvas, 0, 50 * scale);
  picture.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${title.replaceAll('/', '-')}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

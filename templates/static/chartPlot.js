/* One curve as uPlot draws it: values under the cursor, zoom by drag, pinch and keys, marks. */
import { axisValue, colour, drawMarks, isTime, mix, short } from './chartMarks.js';
import uPlot from './uplot.js';

/**
 * @typedef {import('../../sidecar/sessions/products/chartFacts.js').ToldCurve} Curve
 * @typedef {import('../../sidecar/sessions/products/chartFacts.js').ChartMark} Mark
 * @typedef {{ curve: Curve, others: { label: string, colour: number, curve: Curve }[], marks: Mark[] }} Drawn
 * @typedef {{ from: number, to: number, axis: string, log: boolean, clip: boolean }} Looks
 */

/** Values of so many curves stand below a chart. */
const MOST_READ = 10;
/** Round steps of a clock's axis. */
const SECONDS = [1, 5, 15, 60, 300, 900, ...[1, 2, 4, 8, 24, 48, 120, 240].map((hours) => hours * 3600)];

/**
 * @param {HTMLElement} figure
 * @param {(from: number | null, to: number | null) => void} zoom Null for all.
 */
export function createPlot(figure, zoom) {
  const box = /** @type {HTMLElement} */ (figure.querySelector('.plot'));
  const readout = /** @type {HTMLElement} */ (figure.querySelector('.readout'));
  const spoken = document.createElement('p');
  spoken.className = 'unseen';
  spoken.setAttribute('role', 'status');
  box.after(spoken);
  /** @type {uPlot | null} */
  let plot = null;
  /** @type {Drawn | null} */
  let drawn = null;
  /** @type {Looks} */
  let looks = { from: 0, to: 1, axis: 'step', log: false, clip: false };
  /** What two fingers hold, until its points are there. @type {[number, number] | null} */
  let pinched = null;
  let speaking = 0;

  /** @param {Drawn} next @param {Looks} how */
  function show(next, how) {
    const data = dataOf(next);
    const isSame = plot?.series.length === data.length && looks.log === how.log && looks.axis === how.axis;
    drawn = next;
    looks = how;
    pinched = null;
    if (!((plot?.cursor.left ?? -1) >= 0)) readout.textContent = next.curve.told;
    if (plot && isSame) {
      plot.setData(data);
      return;
    }
    plot?.destroy();
    box.replaceChildren();
    box.classList.add('live');
    plot = new uPlot(optionsOf(next), data, box);
  }

  /** @param {Drawn} of @returns {uPlot.Options} */
  function optionsOf({ curve, others }) {
    const ink = colour('--soft');
    const grid = { stroke: colour('--line'), width: 1 };
    const line = (/** @type {string} */ label, /** @type {string} */ stroke, width = 1) => ({
      label,
      stroke,
      width,
      points: { show: false },
    });
    const raw = mix(colour('--accent'), 0.42);
    return {
      width: box.clientWidth,
      height: box.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, sync: { key: 'charts' }, points: { size: 7 } },
      scales: { x: { time: false, range: rangeX }, y: { range: rangeY, distr: looks.log ? 3 : 1 } },
      axes: [
        {
          stroke: ink,
          grid,
          ticks: grid,
          size: 30,
          ...(isTime(looks.axis) && { incrs: SECONDS }),
          values: (_, all) => all.map((each) => axisValue(each, looks.axis)),
        },
        {
          stroke: ink,
          grid,
          ticks: grid,
          size: 66,
          values: (_, all) => all.map((each) => (each === null ? '' : short(each))),
        },
      ],
      series: [
        {},
        ...curve.lost.map(() => line('trained again', colour('--edge'))),
        line('reported', raw),
        line('smoothed', colour('--accent'), 2),
        ...others.map(({ label, colour: number }) => line(label, colour('--ink-of', `other-${number}`), 2)),
      ],
      hooks: {
        setCursor: [tell],
        setSelect: [
          (on) => {
            if (on.select.width < 6) return;
            const [from, to] = [on.posToVal(on.select.left, 'x'), on.posToVal(on.select.left + on.select.width, 'x')];
            on.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            zoom(from, to);
          },
        ],
        draw: [(on) => drawn && drawMarks(on, drawn)],
      },
    };
  }

  /** @returns {[number, number]} */
  function rangeX() {
    return pinched ?? [looks.from, looks.to > looks.from ? looks.to : looks.from + 1];
  }

  /** @type {uPlot.Range.Function} */
  function rangeY(_, min, max) {
    const clip = drawn?.curve.clip;
    if (looks.clip && clip && clip.high > clip.low) return [clip.low, clip.high];
    if (min === null || max === null) return [0, 1];
    if (looks.log)
      return min > 0 ? [min, max > min ? max : min * 10] : [max > 0 ? max / 1000 : 0.001, max > 0 ? max : 1];
    const room = (max - min || Math.abs(max) || 1) * 0.05;
    return [min - room, max + room];
  }

  /** @param {uPlot} on */
  function tell(on) {
    const { idx } = on.cursor;
    if (idx == null || on.cursor.left == null || on.cursor.left < 0) {
      readout.textContent = drawn?.curve.told ?? '';
      return;
    }
    const x = on.data[0][idx];
    const words = on.series.slice(1).flatMap(({ label }, at) => {
      const value = nearest(on, at + 1, idx);
      return value === null ? [] : [`${label} ${short(value)}`];
    });
    if (words.length > MOST_READ) words.splice(MOST_READ, words.length, '…');
    const mark = drawn?.marks.find((each) => Math.abs(on.valToPos(each.x, 'x') - Number(on.cursor.left)) < 5);
    readout.textContent = [axisValue(x, looks.axis), ...words, mark?.label ?? ''].filter(Boolean).join(' · ');
    clearTimeout(speaking);
    if (document.activeElement === box) {
      speaking = setTimeout(() => {
        spoken.textContent = readout.textContent;
      }, 400);
    }
  }

  box.addEventListener('keydown', (event) => {
    if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
    const width = looks.to - looks.from;
    const step = plot.over.clientWidth / 60;
    const left = Math.max(0, plot.cursor.left ?? 0);
    const middle = left > 0 ? plot.posToVal(left, 'x') : looks.from + width / 2;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => (event.shiftKey ? zoom(looks.from - width / 4, looks.to - width / 4) : move(left - step)),
      ArrowRight: () => (event.shiftKey ? zoom(looks.from + width / 4, looks.to + width / 4) : move(left + step)),
      '+': () => zoom(middle - width / 4, middle + width / 4),
      '-': () => zoom(middle - width, middle + width),
      0: () => zoom(null, null),
      Escape: () => zoom(null, null),
    };
    const act = keys[event.key === '=' ? '+' : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  /** @param {number} left */
  function move(left) {
    if (!plot) return;
    plot.setCursor({ left: Math.min(plot.over.clientWidth - 1, Math.max(0, left)), top: plot.over.clientHeight / 2 });
  }
  box.addEventListener('dblclick', () => zoom(null, null));
  pinch(
    box,
    () => plot,
    (from, to) => {
      pinched = [from, to];
      plot?.setScale('x', { min: from, max: to });
    },
    () => pinched && zoom(...pinched),
  );
  new ResizeObserver(() => {
    if (plot && box.clientWidth > 0) plot.setSize({ width: box.clientWidth, height: box.clientHeight });
  }).observe(box);

  return {
    show,
    canvas: () => plot?.ctx.canvas ?? null,
  };
}

/** The value of a line at a place of the shared axis, or the last one before it. @param {uPlot} on @param {number} line @param {number} idx */
function nearest(on, line, idx) {
  const values = on.data[line] ?? [];
  for (let at = idx; at >= Math.max(0, idx - 6); at -= 1)
    if (values[at] != null) return /** @type {number} */ (values[at]);
  return null;
}

/** @param {Drawn} drawn @returns {uPlot.AlignedData} */
function dataOf({ curve, others }) {
  const lines = [...curve.lost, curve.raw, curve.smooth, ...others.map((each) => each.curve.smooth)];
  const tables = lines.map(({ x, y }) => /** @type {uPlot.AlignedData} */ ([x, y]));
  // What is missing in one line is drawn through, what is no number leaves a gap.
  return uPlot.join(
    tables,
    tables.map(() => [1, 2]),
  );
}

/**
 * @param {HTMLElement} box @param {() => uPlot | null} plot
 * @param {(from: number, to: number) => void} move While two fingers hold it.
 * @param {() => void} end
 */
function pinch(box, plot, move, end) {
  /** @type {[number, number] | null} What lies under the two fingers. */
  let held = null;
  const places = (/** @type {TouchEvent} */ { touches }) => {
    const left = plot()?.over.getBoundingClientRect().left ?? 0;
    return [...touches].map(({ clientX }) => clientX - left).sort((a, b) => a - b);
  };
  box.addEventListener('touchstart', (event) => {
    const on = plot();
    const [a, b] = places(event);
    held = on && b !== undefined ? [on.posToVal(a, 'x'), on.posToVal(b, 'x')] : null;
  });
  box.addEventListener(
    'touchmove',
    (event) => {
      const on = plot();
      const [a, b] = places(event);
      if (!held || !on || b === undefined || b - a < 10) return;
      event.preventDefault();
      const each = (held[1] - held[0]) / (b - a);
      const from = held[0] - a * each;
      move(from, from + each * on.over.clientWidth);
    },
    { passive: false },
  );
  box.addEventListener('touchend', () => {
    if (held) end();
    held = null;
  });
}

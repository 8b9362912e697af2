/* How far an upload is: a bar, and words. */

/** @type {[number, string][]} */
const UNITS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];

/**
 * A bar over the bytes that have arrived, with what is left in words. What is on its way is not counted.
 *
 * @param {HTMLElement} report @param {File[]} files @param {() => void} end
 */
export function showProgress(report, files, end) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0) || 1;
  const bar = Object.assign(document.createElement('progress'), { max: bytes, value: 0 });
  bar.setAttribute('aria-label', 'Upload');
  const words = document.createElement('p');
  const trouble = Object.assign(document.createElement('p'), { className: 'error' });
  const stop = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'small',
    textContent: 'Stop',
  });
  stop.addEventListener('click', end);
  report.replaceChildren(words, bar, trouble, stop);
  /** @type {Map<File, News & { arrived: number }>} */
  const news = new Map(files.map((file) => [file, { arrived: 0 }]));
  /** @type {Seen[]} */
  const seen = [];
  const show = () => {
    const all = [...news.values()];
    const arrived = all.reduce((sum, each) => sum + each.arrived, 0);
    seen.push({ at: performance.now(), arrived });
    while (seen.length > 2 && performance.now() - seen[0].at > 20_000) seen.shift();
    bar.value = arrived;
    const over = all.filter((each) => each.over).length;
    const parts = [
      `${size(arrived)} of ${size(bytes)} uploaded`,
      `${over} of ${files.length} files`,
      ...rate(seen, bytes),
    ];
    for (const [file, { unpacked, over, arrived }] of news) {
      if (over || (!unpacked && !(isHeic(file) && arrived === file.size))) continue;
      if (!unpacked) parts.push(`converting ${file.name}`);
      else parts.push(`unpacking ${file.name}: ${size(unpacked.done)} of ${size(unpacked.total)}`);
      break;
    }
    words.textContent = parts.join(' · ');
    const waiting = all.find((each) => each.waiting && !each.over)?.waiting;
    trouble.textContent = waiting ? `${waiting.why.replace(/\.$/, '')}. Trying again. Nothing uploaded is lost.` : '';
  };
  show();
  const timer = setInterval(show, 1000);
  return {
    /** @param {File} file @param {News} change */
    tell(file, change) {
      Object.assign(news.get(file) ?? {}, change);
      show();
    },
    end: () => clearInterval(timer),
  };
}

/** @typedef {{ at: number, arrived: number }} Seen */

/** @param {Seen[]} seen @param {number} bytes */
function rate(seen, bytes) {
  const [first, last] = [seen[0], seen[seen.length - 1]];
  const seconds = (last.at - first.at) / 1000;
  const speed = seconds > 3 ? (last.arrived - first.arrived) / seconds : 0;
  if (speed <= 0 || last.arrived === bytes) return [];
  const left = (bytes - last.arrived) / speed;
  return [`${size(speed)}/s`, `about ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`];
}

/** As the rest of the page writes it. @param {number} bytes */
export function size(bytes) {
  for (const [unit, name] of UNITS)
    if (bytes >= unit)
      return `${bytes < 9.95 * unit ? (bytes / unit).toFixed(1).replace('.0', '') : Math.round(bytes / unit)} ${name}`;
  return `${Math.round(bytes)} B`;
}

/** @param {File} file */
export function isHeic(file) {
  return /\.hei[cf]$/i.test(file.name);
}

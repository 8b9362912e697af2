/* All prompts and steps, and those of other versions with the same seed, as one picture to keep. */
import { readTable } from './sampleTable.js';

/** @typedef {import('./sampleTable.js').Sample} Sample */

const CELL = 256;
const MOST_ROWS = 24;

/**
 * Draws the samples of all versions and gives them to the browser to keep. Rejects where a picture does not arrive.
 *
 * @param {(Sample | null)[][]} rows
 * @param {DOMStringMap} facts Of the page: `title`, `session`, and `versions` as JSON.
 */
export async function drawSheet(rows, facts) {
  const versions = [{ label: facts.title ?? '', rows: rows.map((row) => row.filter((each) => each !== null)) }];
  const seeds = new Map(rows.flatMap((row) => row.flatMap((each) => (each ? [[each.column, each.seed]] : []))));
  for (const { name, label } of JSON.parse(facts.versions ?? '[]')) {
    const answer = await fetch(`../${encodeURIComponent(name)}/samples`, { headers: { Accept: 'text/html' } });
    if (!answer.ok) continue;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const theirs = page.querySelector('.gallery .grid');
    if (!(theirs instanceof HTMLTableElement)) continue;
    const found = readTable(theirs).map((row) =>
      row.flatMap((each) => (each && each.seed === seeds.get(each.column) ? [each] : [])),
    );
    if (found.some((row) => row.length > 0)) versions.push({ label, rows: found });
  }
  const labels = [...new Set(versions.flatMap((version) => version.rows.flatMap((row) => row[0]?.label ?? [])))];
  // Evenly, where there are more than fit: the first and the last stay.
  const kept = labels.filter(
    (_, i) =>
      labels.length <= MOST_ROWS ||
      Math.floor((i * (MOST_ROWS - 1)) / (labels.length - 1)) !==
        Math.floor(((i - 1) * (MOST_ROWS - 1)) / (labels.length - 1)),
  );
  const prompts = [...seeds.keys()].sort((a, b) => a - b);
  const columns = prompts.flatMap((column) => versions.map((version) => ({ column, version })));
  const [left, top] = [110, 56];
  const canvas = document.createElement('canvas');
  canvas.width = left + columns.length * (CELL + 6);
  canvas.height = top + kept.length * (CELL + 6);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  const { color, backgroundColor } = getComputedStyle(document.body);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = color;
  context.font = '13px system-ui';
  const prompt = (/** @type {number} */ column) => rows.flat().find((each) => each?.column === column)?.prompt ?? '';
  columns.forEach(({ column, version }, x) => {
    context.fillText(prompt(column), left + x * (CELL + 6), 20, CELL);
    context.fillText(
      `${version.label}${seeds.get(column) ? ` · seed ${seeds.get(column)}` : ''}`,
      left + x * (CELL + 6),
      42,
      CELL,
    );
  });
  for (const [y, label] of kept.entries()) {
    context.fillText(label, 8, top + y * (CELL + 6) + CELL / 2, left - 16);
    await Promise.all(
      columns.map(async ({ column, version }, x) => {
        const sample = version.rows.flat().find((each) => each.label === label && each.column === column);
        if (!sample) return;
        const image = new Image();
        image.src = `${sample.href}?size=thumb`;
        await image.decode();
        const scale = Math.min(CELL / image.width, CELL / image.height);
        context.drawImage(
          image,
          left + x * (CELL + 6),
          top + y * (CELL + 6),
          image.width * scale,
          image.height * scale,
        );
      }),
    );
  }
  const blob = await new Promise((/** @type {(made: Blob | null) => void} */ done) => canvas.toBlob(done));
  if (!blob) throw new Error('too large');
  const save = document.createElement('a');
  save.href = URL.createObjectURL(blob);
  save.download = `${facts.session}-samples.png`;
  save.click();
  setTimeout(() => URL.revokeObjectURL(save.href), 10_000);
}

/**
 * The contents of a page at one moment: its live regions by id, the tab's title (null: unchanged), and
 * what the page's script tells (JSON).
 */
export type Drawing = { title: string | null; news?: string | undefined; regions: Record<string, Region> };

/** The HTML of a region, in which its lists are empty, and their rows by each list's id. */
export type Region = { html: string; lists: ReadonlyMap<string, Rows> };

/** The HTML of each row of a list by its element's id, in order. */
export type Rows = ReadonlyMap<string, string>;

/**
 * Returns the `<hx-partial>`s that turn a page from `before` to `now`: nothing for an unchanged region, and the new, changed
 * and removed rows of a list.
 */
export function changesSince(before: Drawing, now: Drawing): string {
  return Object.entries(now.regions)
    .flatMap(([id, region]) => regionChanges(id, before.regions[id], region))
    .join('\n');
}

/** The HTML of a region with the rows of its lists. */
export function wholeRegion({ html, lists }: Region): string {
  return [...lists].reduce((text, [list, rows]) => text.replace(opening(list), (tag) => tag + inLines(rows)), html);
}

function regionChanges(id: string, before: Region | undefined, now: Region): string[] {
  if (before === now) return [];
  // A list appears and disappears with its region.
  const asBefore = before && [...before.lists.keys()].join() === [...now.lists.keys()].join();
  if (!asBefore) return [swap('innerMorph', id, wholeRegion(now))];
  const frame = before.html === now.html ? [] : [swap('innerMorph', id, frameOf(now))];
  const rows = [...now.lists].flatMap(([list, rows]) => rowChanges(list, before.lists.get(list) ?? new Map(), rows));
  return [...frame, ...rows];
}

/** A region without the rows of its lists: `data-kept` tells the page to keep its own (live.js). */
function frameOf({ html, lists }: Region): string {
  return [...lists.keys()].reduce((text, list) => text.replace(opening(list), ` id="${list}" data-kept>`), html);
}

function opening(list: string): string {
  return ` id="${list}">`;
}

function inLines(rows: Rows): string {
  return `\n${[...rows.values()].join('\n')}\n`;
}

function rowChanges(list: string, before: Rows, now: Rows): string[] {
  const stay = [...before.keys()].filter((id) => now.has(id));
  const inOrder = [...now.keys()].filter((id) => before.has(id));
  if (stay.length === 0 || stay.join() !== inOrder.join())
    return [swap('innerMorph', list, [...now.values()].join('\n'))];
  const gone = [...before.keys()].filter((id) => !now.has(id)).map((id) => swap('delete', id, ''));
  const changed = inOrder.filter((id) => before.get(id) !== now.get(id));
  return [...gone, ...changed.map((id) => swap('outerMorph', id, now.get(id) ?? '')), ...insertions(list, before, now)];
}

/** Inserts new rows behind the row before them, neighbours together. */
function insertions(list: string, before: Rows, now: Rows): string[] {
  const found: { after: string | null; rows: string[] }[] = [];
  let last: string | null = null;
  for (const [id, html] of now) {
    if (before.has(id)) last = id;
    else if (found.at(-1)?.after === last) found.at(-1)?.rows.push(html);
    else found.push({ after: last, rows: [html] });
  }
  return found.map(({ after, rows }) =>
    after === null ? swap('afterbegin', list, rows.join('\n')) : swap('afterend', after, rows.join('\n')),
  );
}

function swap(how: string, id: string, html: string): string {
  return `<hx-partial hx-target="#${id}" hx-swap="${how}">${html}</hx-partial>`;
}

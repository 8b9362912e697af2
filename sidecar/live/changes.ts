/** The contents of a page at one moment: its live regions by id, and the tab's title (null: unchanged). */
export type Drawing = { title: string | null; regions: Record<string, string> };

/**
 * Returns the `<hx-partial>`s that turn a page from `before` to `now`: nothing for an unchanged region, and the new, changed
 * and removed rows of a list. A list is a `ul`, `tbody` or `div` whose id ends in "-rows"; each of its rows, an `li`, `tr`
 * or `label`, begins a line with its id.
 */
export function changesSince(before: Drawing, now: Drawing): string {
  return Object.entries(now.regions)
    .filter(([id, html]) => before.regions[id] !== html)
    .flatMap(([id, html]) => regionChanges(id, before.regions[id], html))
    .join('\n');
}

function regionChanges(id: string, before: string | undefined, now: string): string[] {
  const whole = [swap('innerMorph', id, now)];
  if (before === undefined) return whole;
  const [old, cut] = [cutLists(before), cutLists(now)];
  // A list appears and disappears with its region.
  if (cut.lists.size === 0 || [...cut.lists.keys()].join() !== [...old.lists.keys()].join()) return whole;
  const frame = cut.frame === old.frame ? [] : [swap('innerMorph', id, cut.frame)];
  const rows = [...cut.lists].flatMap(([list, rows]) => rowChanges(list, old.lists.get(list) ?? new Map(), rows));
  return [...frame, ...rows];
}

type Rows = Map<string, string>;

const LIST = /<(ul|tbody|div)( [^>]*)?( id="([\w-]+-rows)")([^>]*)>([\s\S]*?)<\/\1>/g;
const ROW = /^(?=<(?:li|tr|label) id=")/m;

/** A region without the rows of its lists: `data-kept` tells the page to keep its own (live.js). */
function cutLists(html: string): { frame: string; lists: Map<string, Rows> } {
  const lists = new Map<string, Rows>();
  const frame = html.replace(LIST, (_, tag, some = '', id, list, more, rows: string) => {
    const texts = rows.split(ROW).filter((text) => text.trim());
    lists.set(list, new Map(texts.map((text) => [/ id="([^"]*)"/.exec(text)?.[1] ?? '', text.trim()])));
    return `<${tag}${some}${id}${more} data-kept></${tag}>`;
  });
  return { frame, lists };
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

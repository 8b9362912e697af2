export type Fields = Record<string, string>;

/** `others`: what somebody else typed into a field that both changed; the value of `fields` is the later one. */
export type Merged = { fields: Fields; others: Fields };

/**
 * Merges what two people typed into one form, field by field: both began from `base`. Where both changed the same field,
 * `mine`, which was sent last, stands in the field, and the other value stays beside it. Nobody's word is removed by the
 * other's silence. Pure.
 */
export function mergeFields(base: Fields, theirs: Fields, mine: Fields): Merged {
  const merged: [string, string][] = [];
  const others: [string, string][] = [];
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const [before, other, own] = [base, theirs, mine].map((each) =>
      Object.hasOwn(each, name) ? each[name] : undefined,
    );
    const value = own === before || own === undefined ? other : own;
    if (value !== undefined && (own !== undefined || other !== before)) merged.push([name, value]);
    if (own !== undefined && other !== undefined && own !== other && own !== before && other !== before)
      others.push([name, other]);
  }
  return { fields: Object.fromEntries(merged), others: Object.fromEntries(others) };
}

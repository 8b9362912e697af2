/**
 * The place of the last one of `all` of which `so` holds, found by halves: behind the first of which it does not hold, it must
 * hold for none. -1 for none.
 */
export function lastWhere<T>(all: readonly T[], so: (each: T) => boolean): number {
  let [low, high] = [-1, all.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (so(all[middle] as T)) low = middle;
    else high = middle - 1;
  }
  return low;
}

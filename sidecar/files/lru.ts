/** A map that forgets what was used longest ago, once the sizes of its entries add up to more than `limit`. */
export class Lru<V> {
  #entries = new Map<string, { value: V; size: number }>();
  #total = 0;

  constructor(readonly limit: number) {}

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, size = 1): void {
    this.#total += size - (this.#entries.get(key)?.size ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, size });
    for (const [oldest, entry] of this.#entries) {
      if (this.#total <= this.limit) break;
      this.#entries.delete(oldest);
      this.#total -= entry.size;
    }
  }
}

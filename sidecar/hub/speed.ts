/** Bytes a second over the last few seconds, by our own clock. */
export type Speed = ReturnType<typeof createSpeed>;

const WINDOW_MS = 8_000;

export function createSpeed(now: () => number = () => performance.now()) {
  let points: { at: number; done: number }[] = [];
  let phase = '';
  return {
    at(done: number, of: string) {
      const at = now();
      // A new count, or another kind of work, has another speed.
      if (of !== phase || done < (points.at(-1)?.done ?? 0)) points = [];
      phase = of;
      if (at - (points.at(-1)?.at ?? Number.NEGATIVE_INFINITY) < 200) return;
      points = [...points.filter((point) => at - point.at < WINDOW_MS), { at, done }];
    },
    bytesPerSecond() {
      const [first, last] = [points[0], points.at(-1)];
      if (!first || !last || last.at - first.at < 500) return null;
      return (last.done - first.done) / ((last.at - first.at) / 1000);
    },
  };
}

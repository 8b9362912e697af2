/** From and to as "22:00", in a zone of the IANA list ("Europe/Berlin"). */
export type QuietHours = { from: string; to: string; zone: string };

/** Is it quiet at this moment? A span may pass midnight; one of no length is never. Pure. */
export function isQuiet(now: Date, { from, to, zone }: QuietHours): boolean {
  const clock = clockIn(now, zone);
  if (from === to) return false;
  return from < to ? clock >= from && clock < to : clock >= from || clock < to;
}

/** Is it a zone that this machine knows? */
export function isZone(zone: string): boolean {
  try {
    clockIn(new Date(0), zone);
    return true;
  } catch {
    // silent: RangeError: it is none.
    return false;
  }
}

/** "09:05" */
function clockIn(now: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    now,
  );
}

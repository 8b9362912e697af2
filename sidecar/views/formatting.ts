/** "1 204": a whole number with thin spaces between thousands, "–" where unknown. */
export function count(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return '–';
  // short: the digits of a number
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Bytes as a person says them: "0 bytes", "38 MB", "1.4 GB" (powers of 1000, as file managers and clouds count). */
export function bytes(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value) || value < 0) return '–';
  if (value < 1000) return `${value} ${value === 1 ? 'byte' : 'bytes'}`;
  let scaled = value;
  let unit = -1;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${scaled < 9.95 ? trimmed(scaled, 1) : Math.round(scaled)} ${units[unit]}`;
}
const units = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** Seconds as "45 s", "12 min", "1 h 12", "2 d 3 h". More than a hundred years are none. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds) || seconds < 0 || seconds > 3.2e9) return '–';
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
  const hours = Math.round(minutes / 60);
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
}

/** The time until a training ends: "2 h 10 left", or with the samples' part of it guessed "2 h 10 left, a guess". */
export function timeLeft(seconds: number, guessed: boolean): string {
  return `${duration(seconds)} ${leftLabel(guessed)}`;
}

/** The words below or after such a time. */
export function leftLabel(guessed: boolean): string {
  return guessed ? 'left, a guess' : 'left';
}

/** Seconds a step: "2.1 s", "0.08 s". */
export function pace(secondsPerStep: number | null | undefined): string {
  if (secondsPerStep == null || !Number.isFinite(secondsPerStep) || secondsPerStep < 0) return '–';
  if (secondsPerStep >= 99.5) return duration(secondsPerStep);
  return `${secondsPerStep >= 0.995 ? trimmed(secondsPerStep, 1) : trimmed(secondsPerStep, 3 - leadingZeros(secondsPerStep))} s`;
}
const leadingZeros = (value: number) => (value >= 0.0995 ? 1 : 0);

/** A loss to three places, or as many as tell two small ones apart: "0.118", "0.0042"; "not a number" for NaN. */
export function loss(value: number | 'nan' | null | undefined): string {
  if (value === 'nan' || Number.isNaN(value)) return 'not a number';
  if (value == null) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.00001 || size >= 10000)) return value.toExponential(1);
  return value.toFixed(size === 0 || size >= 0.01 ? 3 : size < 0.001 ? 5 : 4);
}

/** "$0.42" */
export function dollars(value: number): string {
  return `$${value.toFixed(2)}`;
}

/** "64 %": never 100 before it is. */
export function percent(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value) || value < 0) return '–';
  return `${value >= 100 ? 100 : Math.min(99, Math.round(value))} %`;
}

/** "just now", "12 min ago", "3 h ago", "5 days ago", and for what is to come "in 12 min". */
export function relative(then: Date, now: Date): string {
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (Number.isNaN(seconds)) return '–';
  const size = Math.abs(seconds);
  if (size < 45) return 'just now';
  const minutes = Math.max(1, Math.round(size / 60));
  const hours = Math.round(minutes / 60);
  const days = Math.round(hours / 24);
  const words = minutes < 60 ? `${minutes} min` : hours < 24 ? `${hours} h` : `${days} ${days === 1 ? 'day' : 'days'}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

/** A time in UTC for readers without a script: "22 Nov 03:12 UTC", with the year where it is another one. */
export function utc(then: Date, now: Date): string {
  if (Number.isNaN(then.getTime())) return '–';
  const day = `${then.getUTCDate()} ${months[then.getUTCMonth()]}`;
  const year = then.getUTCFullYear() === now.getUTCFullYear() ? '' : ` ${then.getUTCFullYear()}`;
  return `${day}${year} ${then.toISOString().slice(11, 16)} UTC`;
}

/** A time in UTC as people write it: "03:12" today, "Sun 03:12" in the week before, "22 Nov" or "22 Nov 2025" else. */
export function day(then: Date, now: Date): string {
  const days = (startOfDay(now) - startOfDay(then)) / 86_400_000;
  const clock = then.toISOString().slice(11, 16);
  if (days === 0) return clock;
  if (days > 0 && days < 7) return `${weekdays[then.getUTCDay()]} ${clock}`;
  const year = then.getUTCFullYear() === now.getUTCFullYear() ? '' : ` ${then.getUTCFullYear()}`;
  return `${then.getUTCDate()} ${months[then.getUTCMonth()]}${year}`;
}

function startOfDay(at: Date): number {
  return Math.floor(at.getTime() / 86_400_000) * 86_400_000;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "1 picture", "4 pictures". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** What there is to say, with dots between. */
export function joined(...parts: (string | false | null)[]): string {
  return parts.filter(Boolean).join(' · ');
}

/** A sentence begins with a capital, unless with the name of a file, and ends with a full stop. */
export function sentence(text: string): string {
  const plain = text.trim();
  const capital = /^[a-z]+([\s,]|$)/.test(plain) ? plain.charAt(0).toUpperCase() + plain.slice(1) : plain;
  return capital === '' || /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

/** An element's id that is unique to a name, and needs no escaping in a selector: "row-my_95cat" for "my_cat". */
export function elementId(kind: string, name: string): string {
  return `${kind}-${encodeURIComponent(name).replace(/[^a-zA-Z0-9-]/g, (sign) => `_${sign.charCodeAt(0)}`)}`;
}

function trimmed(value: number, places: number): string {
  // short: the digits of a number
  return value.toFixed(places).replace(/\.0+$|(?<=\.\d*?)0+$/, '');
}

import { z } from 'zod';

/** A number, also as a text. */
export const counted = z.union([z.number(), z.string().trim().min(1).pipe(z.coerce.number())]);

/** A moment as tools write it; then in milliseconds since 1970. */
export const moment = z.union([counted.transform(momentIn), z.string().max(100).transform(momentOf)]).pipe(z.number());

/** Prompts as one text, or as a list. */
export const lines = z
  .unknown()
  .transform((given) => (typeof given === 'string' ? given : linesOf(given, 0)?.join('\n')))
  .pipe(z.string().optional())
  .optional();

/** Yes or no, in words or digits. */
export const flag = z
  .union([z.boolean(), z.stringbool(), z.literal([0, 1]).transform(Boolean)])
  .optional()
  .catch(undefined);

/** A side of a square: `512`, `"512,512"` or `[512, 512]`. */
export const side = z
  .union([
    counted,
    z
      .union([z.string().max(100), z.array(counted)])
      .transform(sideOf)
      .pipe(z.number()),
  ])
  .optional()
  .catch(undefined);

/** Trainings of LoRAs have dates between these, in milliseconds since 1970: what lies outside is no time, or of a clock that was not set. */
const [EARLIEST, LATEST] = [Date.UTC(2015), Date.UTC(2100)];

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, or the digits of a date (`20260203100000`). In milliseconds; undefined for no time. */
function momentIn(count: number): number | undefined {
  const units = [1000, 1, 1e-3, 1e-6].map((unit) => count * unit);
  return units.find((ms) => ms >= EARLIEST && ms <= LATEST) ?? momentOf(String(count));
}

/** A date in words or digits, in milliseconds; undefined for none. Without a zone it is the time of this machine. */
function momentOf(words: string): number | undefined {
  const digits = /^(\d{4})(\d{2})(\d{2})[-_T ]?(\d{2})(\d{2})(\d{2})$/.exec(words.trim());
  const [, year, month, day, hour, minute, second] = digits ?? [];
  const ms = Date.parse(digits ? `${year}-${month}-${day}T${hour}:${minute}:${second}` : words);
  return ms >= EARLIEST && ms <= LATEST ? ms : undefined;
}

const prompt = z.looseObject({
  prompt: z.string(),
  negative_prompt: z.string().optional().catch(undefined),
  width: z.number().optional().catch(undefined),
  height: z.number().optional().catch(undefined),
  seed: z.number().optional().catch(undefined),
  sample_steps: z.number().optional().catch(undefined),
  scale: z.number().optional().catch(undefined),
  guidance_scale: z.number().optional().catch(undefined),
});

/** The flags of a line for what sd-scripts reads from a prompt in JSON (library/train_util.py line_to_prompt_dict). */
const FLAGS = { width: 'w', height: 'h', seed: 'd', sample_steps: 's', scale: 'l', guidance_scale: 'g' } as const;

/** Deeper lists are none of prompts. */
const DEEPEST = 3;

/** Prompts from a list, of texts or of objects as in sd-scripts' JSON, or from an object that holds one. Undefined for none. */
function linesOf(given: unknown, depth: number): string[] | undefined {
  if (typeof given === 'string') return [onOneLine(given)];
  if (typeof given === 'number') return [String(given)];
  if (typeof given !== 'object' || given === null || depth > DEEPEST) return undefined;
  if (Array.isArray(given)) return given.flatMap((each) => linesOf(each, depth + 1) ?? []);
  const { data } = prompt.safeParse(given);
  if (!data) {
    const held = (given as Record<string, unknown>).prompts ?? (given as Record<string, unknown>).subset;
    return held === undefined ? undefined : linesOf(held, depth + 1);
  }
  const flags = Object.entries(FLAGS).flatMap(([name, flag]) => {
    const value = data[name as keyof typeof FLAGS];
    return value === undefined ? [] : [`--${flag} ${value}`];
  });
  const without = data.negative_prompt ? [`--n ${data.negative_prompt}`] : [];
  return [[...(linesOf(data.prompt, depth) ?? []), ...flags, ...without].join(' ')];
}

function onOneLine(text: string): string {
  const lines = text.split(/[\r\n]/).map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

/** The side of a square; undefined for another shape. */
function sideOf(given: string | number[]): number | undefined {
  const sides = (typeof given === 'string' ? given.split(/[,x×]/) : given).map(Number);
  return sides.every((each) => Number.isInteger(each) && each === sides[0]) ? sides[0] : undefined;
}

import { z } from 'zod';
import type { Setting } from './setting.js';

/** The check and type of one field's value; messages follow the field's label. */
export function settingValue(field: Setting): z.ZodType {
  const absent = (value: unknown) => value === undefined || value === null;
  // An emptied number field means its default, an emptied text field means empty.
  const isNumber = field.type === 'integer' || field.type === 'number' || field.type === 'decimal';
  return z.preprocess(
    (value) => (absent(value) || (isNumber && value === '') ? field.default : value),
    { text, lines, integer: number, number, decimal, switch: onOff, choice }[field.type](field),
  );
}

const string = z.string('must be text.');

function text(): z.ZodType {
  return string
    .trim()
    .max(1000, 'is longer than 1,000 characters.')
    .regex(/^\P{Cc}*$/u, 'must be one line.');
}

function lines(): z.ZodType {
  return string
    .max(100_000, 'is longer than 100,000 characters.')
    .refine((value) => !value.includes('\0'), 'has a character in it that can’t be saved.')
    .transform((value) => value.replace(/\r\n?/g, '\n').trim());
}

/** Neither 0x10 nor 1_000: Python reads them differently. */
export const PLAIN_NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

function number(field: Setting): z.ZodType {
  const read = (value: unknown) =>
    typeof value === 'string' && PLAIN_NUMBER.test(value.trim()) ? Number(value) : value;
  const plain = z.number('must be a number.');
  const whole = plain.refine(Number.isInteger, 'must be a whole number.').refine(Number.isSafeInteger, 'is too large.');
  return z.preprocess(read, within(field, field.type === 'integer' ? whole : plain));
}

function decimal(field: Setting): z.ZodType {
  return z
    .union([string, z.number().transform(String)], 'must be a number.')
    .transform((value) => value.trim())
    .refine((value) => PLAIN_NUMBER.test(value), 'must be a number, like 8e-4 or 0.0008.')
    .refine((value) => Number(value) > (field.min ?? Number.NEGATIVE_INFINITY), `must be more than ${field.min}.`)
    .refine((value) => Number(value) <= (field.max ?? Number.POSITIVE_INFINITY), `must be at most ${field.max}.`);
}

function within(field: Setting, value: z.ZodType<number>): z.ZodType<number> {
  return value
    .refine((each) => each >= (field.min ?? Number.NEGATIVE_INFINITY), `must be at least ${field.min}.`)
    .refine((each) => each <= (field.max ?? Number.POSITIVE_INFINITY), `must be at most ${field.max}.`);
}

function onOff(): z.ZodType {
  const words = z.stringbool({ truthy: ['true', 'on', '1'], falsy: ['false', 'off', '0', ''] });
  return z.union([z.boolean(), words], 'must be on or off.');
}

function choice(field: Setting): z.ZodType {
  const values = (field.choices ?? []).map(({ value }) => value);
  return string.refine((value) => values.includes(value), `must be one of ${values.join(', ')}.`);
}

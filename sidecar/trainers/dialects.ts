import { type Places, trainers } from './catalogue.js';
import type { Dialect } from './dialect.js';
import { sdOutput } from './sdOutput/dialect.js';
import { tracked } from './tracked/dialect.js';
import { TRACKED } from './tracked/trainer.js';

/** The dialect of trainings by hand, and of sessions with an unknown trainer. */
export const defaultDialect = sdOutput;

/** The dialect of a session, by the trainer that its record names. */
export type DialectOf = (trainer: string | undefined) => Dialect;

/** Remembers its answers: finding a trainer means checking dozens of places on the disk. */
export function createDialects(places: Places): DialectOf {
  const found = new Map<string | undefined, Dialect>();
  return (trainer) => {
    const known = found.get(trainer);
    if (known) return known;
    const own = trainer === TRACKED || trainer?.startsWith('script/') ? tracked : undefined;
    const dialect = own ?? trainers(places).find(({ id }) => id === trainer)?.dialect ?? defaultDialect;
    found.set(trainer, dialect);
    return dialect;
  };
}

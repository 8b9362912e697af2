import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { checkoutOf, commitOf } from '../../trainers/commit.js';
import type { Command } from '../../trainers/trainer.js';
import type { UiState } from '../record/uiState.js';
import type { Ingredients } from './record.js';

/**
 * What a script of the user runs, and where: all but its data, of which it says nothing. Its checkout is the one that the
 * script lies in.
 *
 * @param id of the trainer
 */
export function scriptIngredients(
  about: Pick<Ingredients, 'trackside' | 'variables' | 'environment'> & { id: string; python: string },
  { argv, cwd }: Command,
  state: Pick<UiState, 'arguments'> | null,
): Ingredients {
  const { id, ...more } = about;
  const named = argv.find((token, at) => at > 0 && token.endsWith('.py') && existsSync(resolve(cwd, token)));
  const path = named === undefined ? null : resolve(cwd, named);
  const checkout = checkoutOf(path ?? join(cwd, 'script'));
  const seed = state?.arguments.seed;
  return {
    ...more,
    command: { argv, cwd },
    seed: typeof seed === 'number' ? seed : null,
    trainer: {
      id,
      script: { path, commit: checkout && commitOf(checkout) },
      ...(checkout === null ? {} : { checkout }),
    },
    detail: null,
    repeats: null,
    flags: {},
  };
}

/** The interpreter of a command: its program, or the one beside it (accelerate, torchrun); else `other`. */
export function interpreterOf([program = '']: readonly string[], other: string): string {
  if (/^(?:python|pypy)[\d.]*t?$/.test(basename(program))) return program;
  const beside = join(dirname(program), 'python');
  return program.startsWith('/') && existsSync(beside) ? beside : other;
}

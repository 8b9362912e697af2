import { readForeignText } from '../../trainers/foreign/foreignFile.js';
import { notesOf, readOrRefuse, takeForeign } from './takeForeign.js';
import type { Checks } from './trainerFields.js';

/**
 * A request with the values of a configuration file in it (`config`: the text of what `--config_file` takes, TOML with
 * sections of any name, or JSON); what the request itself says wins. What has no place here is written into the notes, so
 * that nothing is dropped in silence. Throws a Problem for a file that cannot be read, or tells no family.
 */
export async function withConfig(checks: Checks, asked: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { config, ...fields } = asked;
  if (config === undefined || config === '') return fields;
  const foreign = await readOrRefuse(() => readForeignText(String(config)), 'config');
  const found = await takeForeign(checks, foreign, String(fields.trainer || ''));
  return {
    notes: notesOf('a configuration file', foreign, found),
    ...found.fields,
    ...fields,
    trainer: found.trainer,
    arguments: { ...found.arguments, ...(fields.arguments as Record<string, unknown> | undefined) },
  };
}

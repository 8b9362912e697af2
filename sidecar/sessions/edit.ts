import { z } from 'zod';
import { Problem } from '../problem.js';
import type { Settings } from '../settings.js';
import { findTrainer } from '../trainers/catalogue.js';
import { readTrainingSettings } from '../trainers/trainingSettings.js';
import type { Outputs } from './outputs.js';
import type { Session } from './session.js';
import { updateStateFile } from './stateFile.js';
import { SETTING_NAMES } from './uiState.js';

const words = z.object({
  description: z.string().max(2000).optional(),
  notes: z.string().max(100_000).optional(),
  enable_monitoring: z.union([z.boolean(), z.stringbool()], 'has to be on or off').optional(),
});

/**
 * Changes a session's description and notes, and whether it resumes by itself, at any time; its settings while it is a
 * draft. Throws a Problem: 409 for settings of a session that was started, 422 for a value that makes no sense.
 */
export async function editSession(
  deps: { settings: Settings; outputs: Outputs },
  name: string,
  change: Record<string, unknown>,
): Promise<Session> {
  const { outputs, settings } = deps;
  const session = await outputs.read(name);
  const parsed = words.safeParse(change);
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0]);
    throw new Problem('bad_text', 422, `${field}: ${parsed.error.issues[0]?.message}.`, { field });
  }
  const given = Object.fromEntries(
    Object.entries(change).filter(([key]) => key !== 'enable_monitoring' && SETTING_NAMES.some((each) => each === key)),
  );
  if (Object.keys(given).length > 0 && session.facts.status !== 'draft') {
    throw new Problem(
      'not_a_draft',
      409,
      'It was started with these settings. Use them for a new version to change them.',
      {
        link: `new?from=${encodeURIComponent(name)}`,
      },
    );
  }
  const trainer = findTrainer(settings, session.facts.trainer);
  // What is not changed need not make sense: other tools write this file, too.
  const checked: Record<string, unknown> =
    Object.keys(given).length > 0 ? readTrainingSettings(trainer.settings, { ...session.state, ...given }) : {};
  await updateStateFile(session.folder, (raw) => {
    for (const key of Object.keys(given)) if (key in checked) raw[key] = checked[key];
    if (parsed.data.enable_monitoring !== undefined) raw.enable_monitoring = parsed.data.enable_monitoring;
    if (parsed.data.description !== undefined) raw.description = parsed.data.description.replaceAll('\r\n', '\n');
    if (parsed.data.notes !== undefined) raw.notes = parsed.data.notes.replaceAll('\r\n', '\n');
  });
  return outputs.read(name);
}

import { outputNameBehind } from '../../trainers/sdOutput/fileNames.js';
import { flagValue } from '../../trainers/trainingCommand.js';
import type { UiState } from '../record/uiState.js';

/**
 * The trainer's `output_name`, with which every checkpoint, state folder and sample begins: what the last start was
 * given, else the session's own name, else what the files there suggest (folders that another tool filled).
 */
export function outputName(session: string, state: UiState | null, files: readonly string[]): string {
  for (const attempt of [...(state?.attempts ?? [])].reverse()) {
    const given = flagValue(attempt.argv, '--output_name');
    if (given) return given;
  }
  const stems = files.flatMap((file) => outputNameBehind(file) ?? []);
  if (stems.length === 0 || stems.includes(session)) return session;
  return stems.sort((a, b) => a.length - b.length)[0] ?? session;
}

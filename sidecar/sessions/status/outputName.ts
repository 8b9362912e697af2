import type { Dialect } from '../../trainers/dialect.js';
import type { UiState } from '../record/uiState.js';

/**
 * The prefix of every checkpoint, state folder and sample: from the last start's flags, else the session's own name,
 * else the files' common name (folders that another tool filled).
 */
export function outputName(dialect: Dialect, session: string, state: UiState | null, files: readonly string[]): string {
  for (const attempt of [...(state?.attempts ?? [])].reverse()) {
    const given = dialect.outputName(attempt.argv);
    if (given) return given;
  }
  const stems = files.flatMap((file) => dialect.nameBehind(file)?.outputName ?? []);
  if (stems.length === 0 || stems.includes(session)) return session;
  // Of several, one with several saves: files that are alone in their name are not the session's more than others.
  const several = stems.filter((stem, index) => stems.indexOf(stem) !== index).sort((a, b) => a.length - b.length);
  return several[0] ?? (stems.length === 1 ? stems[0] : null) ?? session;
}

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
  return stems.sort((a, b) => a.length - b.length)[0] ?? session;
}

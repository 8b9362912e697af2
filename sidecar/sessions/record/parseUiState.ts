import { isObject, scanJson } from '../../files/exactJson.js';
import { type RawState, type UiState, uiState } from './uiState.js';

export type ParsedState = { raw: RawState; state: UiState };

/**
 * Why a text is no state file. `broken`: not a JSON object, after a crash, a slip or half a write. `refused`: valid
 * JSON that we would change or misread, and therefore leave alone.
 */
export class StateTextError extends Error {
  constructor(
    readonly kind: 'broken' | 'refused',
    message: string,
  ) {
    super(message);
  }
}

/** Deeper than a person writes; much deeper JSON overflows the stack when it is written again. */
const DEEPEST = 400;

/** Reads the text of a `ui_state.json`. Throws a StateTextError with the fault and its place in words. */
export function parseUiState(content: string): ParsedState {
  // Before it is parsed, which takes ten times as long.
  const { number, depth } = scanJson(content);
  if (depth > DEEPEST) throw new StateTextError('refused', `it is nested ${depth} levels deep, more than ${DEEPEST}`);
  let raw: unknown;
  try {
    // Some editors put a byte order mark in front.
    raw = JSON.parse(content.charCodeAt(0) === 0xfeff ? content.slice(1) : content);
  } catch (error) {
    throw new StateTextError('broken', `it is not valid JSON (${(error as Error).message})`);
  }
  if (!isObject(raw)) throw new StateTextError('broken', 'it is not a JSON object');
  if (number) {
    throw new StateTextError('refused', `${number} and would be rounded; write it in quotes or make it smaller`);
  }
  const parsed = uiState.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new StateTextError('refused', `${issue?.path.join('.') || 'it'} is not as expected (${issue?.message})`);
  }
  return { raw, state: parsed.data };
}

import { expect, test } from 'vitest';
import { parseUiState } from '../../../sidecar/sessions/record/parseUiState.js';
import { checkArguments } from '../../../sidecar/trainers/arguments.js';

const list = { name: 'optimizer_args', flags: ['--optimizer_args'], type: 'list', default: null } as const;
const known = [{ ...list, choices: null, help: null, group: null, flags: [...list.flags] }];

test('whatever further flags are accepted for a session, its record with them can be read again', () => {
  const given = checkArguments(known, { optimizer_args: 'weight_decay=0.1\nbetas=0.9,0.99' });
  expect(given).toEqual({ optimizer_args: ['weight_decay=0.1', 'betas=0.9,0.99'] });
  expect(parseUiState(JSON.stringify({ lora_name: 'cat', arguments: given })).state.arguments).toEqual(given);
});

test('an older record of an end by broken caches still leads to the button that clears them', () => {
  const codeOf = (reason: string, reason_code?: string) => {
    const attempt = { id: 'one', number: 1, kind: 'start', started_at: '2026-01-01T00:00:00Z', argv: [], reason };
    const { state } = parseUiState(JSON.stringify({ attempts: [{ ...attempt, reason_code }] }));
    return state.attempts[0]?.reason_code;
  };
  const words = 'A cache file beside the pictures is broken, probably by an earlier interruption. Clear the caches.';
  expect(codeOf(words)).toBe('broken_cache');
  expect(codeOf(words, 'exit:1')).toBe('exit:1');
  expect(codeOf('CUDA is out of memory.')).toBeNull();
});

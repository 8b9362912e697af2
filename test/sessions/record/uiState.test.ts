import { expect, test } from 'vitest';
import { parseUiState } from '../../../sidecar/sessions/record/uiState.js';
import { checkArguments } from '../../../sidecar/trainers/arguments.js';

const list = { name: 'optimizer_args', flags: ['--optimizer_args'], type: 'list', default: null } as const;
const known = [{ ...list, choices: null, help: null, group: null, flags: [...list.flags] }];

test('whatever further flags are accepted for a session, its record with them can be read again', () => {
  const given = checkArguments(known, { optimizer_args: 'weight_decay=0.1\nbetas=0.9,0.99' });
  expect(given).toEqual({ optimizer_args: ['weight_decay=0.1', 'betas=0.9,0.99'] });
  expect(parseUiState(JSON.stringify({ lora_name: 'cat', arguments: given })).state.arguments).toEqual(given);
});

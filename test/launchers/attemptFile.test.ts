import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAttempt } from '../../sidecar/launchers/attemptFile.js';
import { lastLines } from '../../sidecar/log.js';
import { cleanUpAfterEach, endIn, newFolder, rewriteRecord, runIn } from './outputFolder.js';

cleanUpAfterEach();

test.each(['', '{', 'null', '[]', '{}', '{"id": 7}', '\0\0\0'])(
  'attempt.json with %j is as if it was not there, and the log tells',
  (text) => {
    const folder = newFolder();
    expect(readAttempt(folder)).toBeNull();
    writeFileSync(join(folder, 'attempt.json'), text);
    expect(readAttempt(folder)).toBeNull();
    expect(lastLines().at(-1)).toMatchObject({ level: 'warn', msg: expect.stringContaining(folder) });
  },
);

test('a record is read again as soon as it changes, and what it does not know is kept', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['sleep', '60']);
  expect(readAttempt(folder)).toBe(record);
  rewriteRecord(folder, { number: 9, of_the_user: 'x' });
  expect(readAttempt(folder)).toMatchObject({ number: 9, of_the_user: 'x', id: record.id });
});

test.each([1, 0, -5, 1.5, '4242'])('a recorded PID of %j is never believed', async (pid) => {
  const folder = newFolder();
  await runIn(folder, ['true']);
  await endIn(folder);
  rewriteRecord(folder, { pid });
  expect(readAttempt(folder)).toBeNull();
});

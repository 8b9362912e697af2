import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What must never succeed, not even once. */
const attacks = ['routes', 'paths', 'arguments', 'secrets', 'redact'].map((name) => `test/security/${name}*.test.ts`);

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for processes: two at once keep two cores busy, and prove that nothing is shared.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'attacks', include: attacks } },
      {
        extends: true,
        test: {
          name: 'product',
          include: ['test/**/*.test.ts'],
          exclude: attacks,
          // Some promises hold a clock: a machine that is busy with something else gets another chance, and the report says so.
          retry: 2,
        },
      },
    ],
  },
});

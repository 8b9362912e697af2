import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for processes: two at once keep two cores busy, and prove that nothing is shared.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'security', include: ['test/security/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'product',
          include: ['test/**/*.test.ts'],
          exclude: ['test/security/**'],
          // Some promises hold a clock: a machine that is busy with something else gets a second chance, and the report says so.
          retry: 1,
        },
      },
    ],
  },
});

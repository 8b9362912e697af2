import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Measures; fails for nothing but errors. One after the other, for each wants the machine. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/bench/**/*.bench.ts'],
    globalSetup: ['test/bench/table.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 900_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What needs root, namespaces, another clock or many minutes: one file after the other, for each wants the machine. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/faults/**/*.fault.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    // The practice trainer's sums are pure Python.
    env: { PRACTICE_PATCHES: '8' },
    include: ['test/pictures/*.pictures.ts'],
    testTimeout: 600_000,
    hookTimeout: 1_200_000,
  },
});

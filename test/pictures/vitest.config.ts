import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/pictures/*.pictures.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});

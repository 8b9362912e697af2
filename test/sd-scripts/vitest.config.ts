import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** A real sd-scripts, and a real PyTorch: `npm run test:sd-scripts`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/sd-scripts/**/*.real.ts'],
    testTimeout: 2_400_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});

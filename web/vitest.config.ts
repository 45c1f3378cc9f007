import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*/tests/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false, // a browser at a time
    globalSetup: ['sartor/tests/setup.ts', 'app/tests/shared_folder.ts'],
  },
});

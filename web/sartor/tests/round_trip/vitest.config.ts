/** Runs the stop in the browser of the test `RoundTripTest` of android/sartor. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['sartor/tests/round_trip/stop.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    globalSetup: ['sartor/tests/setup.ts'],
  },
});

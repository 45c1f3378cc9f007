/** The page of the benchmarks: `window.benchmark(name, options)` returns the numbers. */

import { learning } from './learning.js';
import { speed } from './speed.js';

const BENCHMARKS = { learning, speed };

declare global {
  interface Window {
    benchmark: (name: keyof typeof BENCHMARKS, options: never) => Promise<unknown>;
  }
}

window.benchmark = (name, options) => BENCHMARKS[name](options);

/** One training: control, failures, early stopping and published weights. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { OODDetector } from '../src/confidence/out_of_distribution.js';
import { DataError, TrainingError } from '../src/errors.js';
import { takeSamples } from '../src/store/sample_set.js';
import { Control } from '../src/training/control.js';
import type { EpochCallback } from '../src/training/trainer.js';
import { ToyEngine, toyManifest, toySamples } from './toy_model.js';
import { SAMPLES, start, weightsAfter } from './toy_training.js';

/** Let messages pass many times. */
async function pass(): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a training', () => {
  it('learns, measures the accuracy, and publishes weights with a detector', async () => {
    const { history, published } = await start({});
    const { epochs, expectedAccuracy, calibrationError, stopped, samples, warnings } =
      await history;
    expect(epochs.at(-1)?.loss).toBeLessThan(epochs[0]?.loss as number);
    expect(epochs.at(-1)?.epoch).toBe(epochs.length);
    expect(epochs.at(-1)?.accuracy).toBeGreaterThan(0.9);
    expect(expectedAccuracy).toBeGreaterThan(0.7);
    expect(calibrationError).toBeLessThan(0.3);
    expect({ stopped, samples, warnings }).toEqual({ stopped: false, samples: 16, warnings: [] });
    expect(published.at(-1)?.detector).toBeInstanceOf(OODDetector);
    expect(published.at(-1)?.variables.temperature?.[0]).not.toBe(1);
  });

  it('gives the same weights for the same seed only', async () => {
    const [first, second, other] = await Promise.all(
      [1, 1, 2].map((seed) => weightsAfter({ options: { seed, epochs: 3 } })),
    );
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('lets messages pass while it runs', async () => {
    let time = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => {
      time += 5; // ms; each step takes some
      return time;
    });
    const engine = new ToyEngine();
    const { history } = await start({ engine, options: { epochs: 40 } });
    let turns = 0;
    let isRunning = true;
    const count = () => {
      turns += 1;
      return isRunning && setImmediate(count);
    };
    count();
    await history;
    isRunning = false;
    expect(turns).toBeGreaterThan(engine.rates.length / 2);
  });

  it.each([
    ['a trained class', 6],
    ['a class without weights', 0],
  ])('from scratch keeps nothing of the file: %s', async (_, weight) => {
    const trained = {
      class_mask: Float32Array.of(1, 1, 1),
      temperature: Float32Array.of(0.25),
      'head/weights': Float32Array.of(1, 2, 3, 4, weight, weight),
    };
    const { history, published } = await start({});
    const second = await start({ engine: new ToyEngine(toyManifest(), trained) });
    expect(await second.history).toEqual(await history);
    expect(second.published.at(-1)).toEqual(published.at(-1));
  });
});

describe('a paused training', () => {
  it('makes no step until it is resumed, and then ends with the same weights', async () => {
    const control = new Control();
    const engine = new ToyEngine();
    const options = { epochs: 5 };
    const { history, published } = await start({
      options,
      engine,
      control,
      onEpoch: ({ epoch }) => (epoch === 2 ? control.pause() : undefined),
    });
    while (!control.paused) {
      await pass();
    }
    const steps = engine.calls.get('train');
    await pass();
    expect(engine.calls.get('train')).toBe(steps);
    control.resume();
    await history;
    const weights = Array.from(published.at(-1)?.variables['head/weights'] as Float32Array);
    expect(weights).toEqual(await weightsAfter({ options }));
  });

  it('ends if it is stopped', async () => {
    const control = new Control();
    control.pause();
    const { history } = await start({ control });
    await pass();
    control.stop();
    expect(await history).toMatchObject({ stopped: true, steps: 0, epochs: [] });
    expect(control.paused).toBe(false);
  });
});

describe('a stopped training', () => {
  it.each([
    ['by the callback', () => false],
    ['by its control', undefined],
  ])('%s keeps the weights with the lower loss', async (_, returned) => {
    const control = new Control();
    const onEpoch: EpochCallback = ({ epoch }) => {
      if (epoch < 3) {
        return true;
      }
      return returned === undefined ? control.stop() : returned();
    };
    const { history, published, data } = await start({ control, onEpoch });
    const { stopped, epochs, expectedAccuracy } = await history;
    expect({ stopped, epochs: epochs.length }).toEqual({ stopped: true, epochs: 3 });
    expect(expectedAccuracy).toBeUndefined();
    expect(published.at(-1)?.variables['head/weights']).not.toEqual(data.variables['head/weights']);
  });

  it('keeps those before if they are better', async () => {
    const variables = {
      class_mask: Float32Array.of(1, 1, 0),
      temperature: Float32Array.of(0.5),
      weight_decay: Float32Array.of(0),
      'head/weights': Float32Array.of(8, -5, -8, 5, 0, 0),
    };
    const { history, published } = await start({ model: { variables }, onEpoch: () => false });
    await history;
    expect(published.at(-1)?.variables).toBe(variables);
  });
});

describe('a training that fails', () => {
  it('starts again with an eighth of its default rate', async () => {
    const engine = new ToyEngine();
    const { history: first } = await start({ engine });
    await first;
    const peak = engine.rates[0] as number;
    const retried = new ToyEngine();
    retried.limit = peak / 9;
    const { history } = await start({ engine: retried });
    expect((await history).epochs.at(-1)?.loss).toBeLessThan(0.5);
    const ratios = retried.rates.slice(0, 3).map((rate) => rate / peak);
    expect(ratios).toEqual([1, 1 / 8, 1 / 64]);
  });

  it('throws after three retries, and publishes the weights before it', async () => {
    const engine = new ToyEngine();
    engine.limit = 0;
    const { history, published, data } = await start({ engine });
    await expect(history).rejects.toThrow(TrainingError);
    expect(engine.rates).toHaveLength(4);
    expect(published.at(-1)?.variables).toBe(data.variables);
  });

  it('does not change a stated rate', async () => {
    const engine = new ToyEngine();
    engine.limit = 0.05;
    const { history } = await start({ engine, options: { learningRate: 0.1 } });
    await expect(history).rejects.toThrow('the loss is no longer finite after 1 steps');
    expect(engine.rates).toHaveLength(1);
  });

  it('passes an error of its callback on', async () => {
    const { history, published } = await start({
      onEpoch: () => {
        throw new RangeError('of the app');
      },
    });
    await expect(history).rejects.toThrow('of the app');
    expect(published).toHaveLength(1);
  });
});

describe('early stopping', () => {
  it('ends after epochs without a lower loss, and keeps the best weights', async () => {
    const heldOut = toySamples(2);
    heldOut.targets.data.set([Number.NaN, 1, 1, Number.NaN]); // two labels are wrong
    const engine = new ToyEngine();
    const weights: number[][] = [];
    const onEpoch = async () => {
      weights.push([...((await engine.variables())['head/weights'] as Float32Array)]);
    };
    const options = { patience: 3 };
    const { history, published } = await start({ engine, options, heldOut, onEpoch });
    const losses = (await history).epochs.map((epoch) => epoch.heldOutLoss as number);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length - 1 - best).toBe(3);
    expect([...(published.at(-1)?.variables['head/weights'] ?? [])]).toEqual(weights[best]);
  });

  it('needs samples to hold out', async () => {
    const samples = takeSamples(SAMPLES, [0, 1]);
    await expect(start({ options: { patience: 3 }, samples })).rejects.toThrow(DataError);
  });
});

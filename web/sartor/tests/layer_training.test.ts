/** Trainings of a toy model with tuned layers, whose samples are in a store. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Epoch } from '../src/results/records.js';
import { FeatureCodec } from '../src/store/codec.js';
import { inMemory, StoredFeatures } from '../src/store/stored_features.js';
import { secondsOfPart, trainingConfig } from '../src/training/config.js';
import { ToyLayerEngine, toyStore, trainLayers } from './toy_layers.js';

const EVIDENCE = 120; // steps of the training without a fold, and of that on all samples

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the depth auto', () => {
  it('keeps layers that gain on held-out samples', async () => {
    const engine = new ToyLayerEngine();
    const history = await trainLayers(engine, await toyStore());
    expect(history.depth).toBe('layers');
    expect(engine.steps).toBe(2 * EVIDENCE);
    expect(history.expectedAccuracy).toBeGreaterThan(0.7);
  });

  it('refuses layers that lose on held-out samples', async () => {
    const engine = new ToyLayerEngine((step) => (step <= EVIDENCE ? 0 : 1));
    const history = await trainLayers(engine, await toyStore());
    expect(history.depth).toBe('head');
    expect(engine.steps).toBe(EVIDENCE);
    const again = new ToyLayerEngine((step) => (step <= EVIDENCE ? 0 : 1));
    const forced = await trainLayers(again, await toyStore(), { depth: 'layers' });
    expect(forced.depth).toBe('layers');
  });

  it('refuses layers that lose training samples', async () => {
    const engine = new ToyLayerEngine((step) => (step <= EVIDENCE ? 1 : 0));
    expect((await trainLayers(engine, await toyStore())).depth).toBe('head');
    expect(engine.steps).toBe(2 * EVIDENCE);
  });
});

describe('a time limit', () => {
  it.each([
    [1, 'head'],
    [1e6, 'layers'],
  ])('of %d s is that of the whole training: %s', async (seconds, depth) => {
    let now = 0; // ms: each look takes one
    vi.spyOn(performance, 'now').mockImplementation(() => {
      now += 1;
      return now;
    });
    const options = { depth: 'layers', seconds } as const;
    const history = await trainLayers(new ToyLayerEngine(), await toyStore(), options);
    expect(now / 1000).toBeLessThan(seconds + 0.5);
    expect(history.depth).toBe(depth);
    expect(history.stopped).toBe(false);
    const message = 'there was no time to train the tuned layers. Train for more than 1 s';
    expect(history.warnings.includes(message)).toBe(depth === 'head');
  });

  it.each([
    [{}, 'classification', 4],
    [{ depth: 'head' }, 'classification', 2],
    [{ warmStart: true }, 'classification', 1],
    [{}, 'regression', 2],
    [{ depth: 'head' }, 'regression', 1],
  ] as const)('is shared by the parts: %j, %s', (options, task, parts) => {
    const manifest = { ...new ToyLayerEngine().manifest, task };
    expect(secondsOfPart(trainingConfig({ ...options, seconds: 12 }), manifest)).toBe(12 / parts);
    expect(secondsOfPart(trainingConfig(options), manifest)).toBeUndefined();
  });
});

describe('the epochs', () => {
  it.each([
    [1, 'layers'],
    [0, 'head'],
  ])('of all parts are numbered on, with layers times %d', async (factor, depth) => {
    const engine = new ToyLayerEngine((step) => (step <= EVIDENCE ? factor : 1));
    const seen: Epoch[] = [];
    const history = await trainLayers(engine, await toyStore(), {}, (epoch) => {
      seen.push(epoch);
    });
    expect(history.depth).toBe(depth);
    expect(history.epochs).toEqual(seen);
    expect(seen.map(({ epoch }) => epoch)).toEqual(seen.map((_, i) => i + 1));
  });

  it.each([10, EVIDENCE + 10])('stop the training after %i steps of the layers', async (steps) => {
    const engine = new ToyLayerEngine();
    const stop = () => engine.steps < steps;
    const history = await trainLayers(engine, await toyStore(), {}, stop);
    expect([history.depth, history.stopped]).toEqual(['head', true]);
    expect(engine.steps).toBeLessThan(steps + 10);
  });
});

describe('the features in the store', () => {
  it('are in memory for one batch at a time', async () => {
    const rows: number[] = [];
    const { decode } = FeatureCodec.prototype;
    vi.spyOn(FeatureCodec.prototype, 'decode').mockImplementation(function (this: FeatureCodec, x) {
      const features = decode.call(this, x);
      rows.push(features[0]?.rows ?? 0);
      return features;
    });
    const { read } = StoredFeatures.prototype;
    vi.spyOn(StoredFeatures.prototype, 'read').mockImplementation(function (
      this: StoredFeatures,
      x,
    ) {
      rows.push(x.length);
      return read.call(this, x);
    });
    const engine = new ToyLayerEngine();
    await trainLayers(engine, await toyStore());
    expect(rows.length).toBeGreaterThan(100);
    expect(Math.max(...rows)).toBe(engine.manifest.batch_size);
  });

  it.each([3, 16])('may be deleted during a training: %i of 16', async (count) => {
    const [engine, store] = [new ToyLayerEngine(), await toyStore()];
    const losses: number[] = [];
    const history = await trainLayers(engine, store, { depth: 'layers' }, ({ loss }) => {
      losses.push(loss);
      if (engine.steps > EVIDENCE + 10 && store.size === 16) {
        store.forget(Array.from({ length: count }, (_, i) => i + 1));
      }
    });
    expect(history.depth).toBe('layers');
    expect(store.size).toBe(16 - count);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  it('are rows of zeros once their samples are deleted', async () => {
    const store = await toyStore(2);
    const { features } = store.select(false);
    const [expected] = inMemory(features);
    store.forget([2]);
    const stored = features as StoredFeatures;
    const { features: rows, isStored } = stored.take([3, 1, 3]).read([2, 1]);
    expect(isStored).toEqual([true, false]);
    expect(Array.from(rows[0]?.data ?? [])).toEqual([...(expected?.row(3) ?? []), 0, 0]);
    expect(stored.present()).toEqual([0, 2, 3]);
  });
});

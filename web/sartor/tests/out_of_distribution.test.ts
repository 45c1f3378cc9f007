/** The state of a detector: classes that are added and removed, and its tensors in a checkpoint. */

import { describe, expect, it } from 'vitest';
import { OODDetector } from '../src/confidence/out_of_distribution.js';
import { CheckpointError } from '../src/errors.js';
import { readCheckpoint, writeCheckpoint } from '../src/saved/checkpoint.js';
import { detectorOf, detectorTensors } from '../src/saved/detector.js';
import { matrix, table } from './recipe/inputs.js';
import { toyManifest } from './toy_model.js';

const OUTPUT = Float32Array.of(0.5, 0.5);
const TENSORS = {
  'ood/prototypes': Float32Array.of(1, 0, 0, 1.25),
  'ood/class_indices': Float32Array.of(0, 2),
  'ood/statistics': Float32Array.of(0.25, 0.5),
};
const DIRECTIONS = { 'ood/directions': Float32Array.of(0, 0.6) };
const CHECKPOINT = {
  classes: ['a', null, 'b'],
  classKeys: ['key a', null, 'key b'],
  fingerprints: toyManifest().fingerprints,
  variables: new Map(),
  imprinted: [],
  samplesSeen: 0,
  oodThreshold: 0.75,
  app: new Map(),
};

function load(changes: Readonly<Record<string, Float32Array | undefined>> = {}): OODDetector {
  const entries = Object.entries({ ...TENSORS, ...changes }).filter(([, each]) => each);
  return OODDetector.fromTensors(Object.fromEntries(entries) as typeof TENSORS, 0.75, 2, 3);
}

it.each([
  [19, 0],
  [20, 1],
  [50, 2],
])('the threshold of %i scores has %i below it', async (count, place) => {
  const angles = Array.from({ length: count }, (_, i) => 0.02 * i); // the first is of class 0
  const features = [matrix(angles.map((angle) => [Math.cos(angle), Math.sin(angle)]))];
  const classes = angles.map((_, i) => Math.min(i, 1));
  const folds = angles.map(() => -1);
  const detector = await OODDetector.fit(features, classes, folds, undefined);
  expect(detector?.threshold).toBeCloseTo(Math.cos(angles.at(-1 - place) as number), 5);
});

describe('a detector', () => {
  it('scores the similarity and the entropy of the output', () => {
    const score = load().score([matrix([[0, 3]])], OUTPUT);
    expect(score).toBeCloseTo(1.25 - 0.25 * Math.LN2, 6);
    expect(load().isInDistribution([matrix([[0, 3]])], OUTPUT)).toBe(true);
    expect(load().isInDistribution([matrix([[3, -3]])], OUTPUT)).toBe(false);
  });

  it('ignores a part of the differences along a direction', () => {
    const score = load(DIRECTIONS).score([matrix([[3, 3]])], OUTPUT);
    const cosine = (1 - 0.6 ** 2) / Math.sqrt(1 + 1 - 0.6 ** 2) / Math.sqrt(1 - 0.6 ** 2);
    expect(score).toBeCloseTo(1.25 * cosine - 0.25 * Math.LN2, 6);
  });

  it('scores a class that was added after a prediction', () => {
    const detector = load(DIRECTIONS);
    const features = [matrix([[-1, 0]])];
    expect(detector.score(features, OUTPUT)).toBeLessThan(0);
    const length = Math.sqrt(1 + (1 / 0.5 - 1) / 4);
    const score = detector.withClass(1, features, 4).score(features, OUTPUT);
    expect(score).toBeCloseTo(length - 0.25 * Math.LN2, 6);
  });

  it('has one prototype per added class, in place of older ones', () => {
    const { rows, classes } = load().withClass(2, [matrix([[-6, 0]])], 4).parameters.prototypes;
    expect(classes).toEqual([0, 2]);
    const length = Math.sqrt(1 + (1 / 0.5 - 1) / 4);
    expect(table(rows).flat()).toEqual([1, 0, expect.closeTo(-length, 6), 0]);
  });

  it('is left out without classes', () => {
    const detector = load().withoutClass(0);
    expect(detector?.parameters.prototypes.classes).toEqual([2]);
    expect(detector?.withoutClass(2)).toBeUndefined();
  });

  it.each([
    ['a metric', DIRECTIONS, [1, 2]],
    ['the plain metric', {}, undefined],
  ])('with %s is the same after a checkpoint is read', async (_, directions, shape) => {
    const ood = detectorTensors(load(directions));
    expect(ood.get('ood/directions')?.shape).toEqual(shape);
    const content = await writeCheckpoint({ ...CHECKPOINT, ood });
    const detector = detectorOf(await readCheckpoint(content, 'a file'), toyManifest());
    expect(detector?.toTensors()).toEqual({ ...TENSORS, ...directions });
    const features = [matrix([[3, 3]])];
    expect(detector?.score(features, OUTPUT)).toBe(load(directions).score(features, OUTPUT));
  });

  it('has at most as many directions of other features as before', async () => {
    const angles = [0, 0.6, 1.6, 0.9];
    const features = [matrix(angles.map((angle) => [Math.cos(angle), Math.sin(angle)]))];
    const classes = [0, 0, 1, 1];
    const count = async (detector: OODDetector) => {
      return (await detector.withFeatures(features, classes)).parameters.metric.directions.rows;
    };
    expect(await count(load(DIRECTIONS))).toBe(1);
    expect(await count(load())).toBe(0);
  });

  it.each([
    ['a missing tensor', { 'ood/prototypes': undefined }, 'got ood/class_indices [2]'],
    ['prototypes of another size', { 'ood/prototypes': new Float32Array(6) }, '[R × 2]'],
    ['statistics of another size', { 'ood/statistics': new Float32Array(1) }, '[2]'],
    ['an index above the capacity', { 'ood/class_indices': Float32Array.of(0, 3) }, '3 classes'],
    ['an index that is no integer', { 'ood/class_indices': Float32Array.of(0, 0.5) }, '3 classes'],
    ['a large prototype', { 'ood/prototypes': Float32Array.of(1, 0, 0, 6) }, 'above 5'],
    ['a prototype that is NaN', { 'ood/prototypes': Float32Array.of(1, 0, 0, NaN) }, 'above 5'],
    ['directions of another size', { 'ood/directions': new Float32Array(3) }, '[D × 2]'],
    ['an empty tensor of directions', { 'ood/directions': new Float32Array() }, '[D × 2]'],
    ['too many directions', { 'ood/directions': new Float32Array(130) }, 'at most 64'],
    ['a long direction', { 'ood/directions': Float32Array.of(0.8, 0.7) }, 'longer than 1'],
    ['a direction that is NaN', { 'ood/directions': Float32Array.of(0, NaN) }, 'longer than 1'],
  ])('is refused with %s', (_, changes, message) => {
    expect(() => load(changes)).toThrow(CheckpointError);
    expect(() => load(changes)).toThrow(message);
  });
});

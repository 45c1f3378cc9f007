/** The sample store: checksums, encodings, eviction and damage; SQLite runs in Node here. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FeatureSpec, Manifest } from '../../../contract/generated/contract.js';
import { hexadecimal, sha256 } from '../src/contract/bytes.js';
import { checksum, pack, Real } from '../src/contract/checksum.js';
import { Matrix } from '../src/data/matrix.js';
import { FeatureCodec } from '../src/store/codec.js';
import { fromHalf, toHalf } from '../src/store/half.js';
import { exportDatabase, openCopy, openMemory } from '../src/store/sqlite.js';
import { type SampleOfStore, SampleStore } from '../src/store/store.js';
import { inMemory } from '../src/store/stored_features.js';
import { python } from './browser.js';
import { ALL_RULES } from './recipe/files.js';

const FLOAT: FeatureSpec = {
  name: 'features',
  shape: [3],
  dtype: 'float32',
  scale: null,
  zero_point: null,
};

describe('the known answers of the contract', () => {
  const bytes = Uint8Array.of(1, 2);

  it.each([
    ['class', [1, '0f', 'Hüte'], '995b3de4'],
    [
      'sample',
      [7, new Real(1700000000.5), bytes, 2, 8, 1, 1, new Real(1), 3, new Real(0.25)],
      '91da859c',
    ],
    [
      'sample without source',
      [7, new Real(1700000000.5), null, 2, 8, 1, 1, new Real(1), 3, new Real(0.25)],
      '22992320',
    ],
    ['features', [7, 'e', Uint8Array.of(0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0)], '07dcef42'],
  ])('%s', (_, fields, expected) => {
    expect(
      checksum(...fields)
        .toString(16)
        .padStart(8, '0'),
    ).toBe(expected);
  });

  it('identity of an array', async () => {
    const values = new Uint8Array(Float32Array.of(0.5, -1, 2).buffer);
    const header = pack('float32', 2, 1, 3);
    expect(hexadecimal(await sha256(Uint8Array.from([...header, ...values])))).toBe(
      '4c42f0d7183fffd20cb1fcc954df01b8777dc7ba0a749fd8c72ae29c3a73898b',
    );
  });
});

describe('float16', () => {
  it('is the same for all 65,536 values as in NumPy', () => {
    const program = `
import numpy as np
print(" ".join(np.arange(65536, dtype=np.uint16).view(np.float16).astype(str)))`;
    const expected = python(program).trim().split(' ').map(parse);
    const all = expected.map((_, bits) => bits).filter((bits) => !Number.isNaN(fromHalf(bits)));
    expect(all).toHaveLength(65536 - 2046);
    expect(all.map((bits) => toHalf(fromHalf(bits)))).toEqual(all);
    expect(all.map((bits) => toHalf(expected[bits] ?? 0))).toEqual(all);
  });

  it('rounds to nearest, ties to even, as NumPy does', () => {
    const program = `
import numpy as np
bits = np.random.default_rng(0).integers(0, 2**32, 20000, np.uint64).astype(np.uint32)
half = np.arange(0, 31744, 3, np.uint16)
ties = (half.view(np.float16).astype(np.float32) + (half + 1).astype(np.uint16).view(np.float16)) / 2
values = np.concatenate([bits.view(np.float32), ties[:-1], [65519.9, 65520, -65520, 1e-8, -1e-8]]).astype(np.float32)
values = values[np.isfinite(values)]
with np.errstate(over="ignore"):
    print(" ".join(map(str, values.view(np.uint32))), "|", " ".join(map(str, values.astype(np.float16).view(np.uint16))))`;
    const [values = [], halves = []] = python(program)
      .split('|')
      .map((part) => part.trim().split(' ').map(Number));
    const floats = new Float32Array(Uint32Array.from(values).buffer);
    expect(floats.length).toBeGreaterThan(20_000);
    expect(Array.from(floats, toHalf)).toEqual(halves);
  });
});

function parse(text: string): number {
  return Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));
}

describe('the encoding of features', () => {
  const int8: FeatureSpec = { ...FLOAT, dtype: 'int8', scale: 0.0219, zero_point: -128 };

  it.each([
    ['integers of a quantized base', int8, [-128, 0, 127], 'q'],
    ['other numbers of a quantized base', int8, undefined, 'e'],
    ['floats', FLOAT, undefined, 'e'],
    ['large floats', FLOAT, [1e6, 0, 0], 'f'],
    ['tiny floats', FLOAT, [1e-7, 1e-7, 1e-7], 'f'],
  ])('of %s', (_, spec, numbers, letter) => {
    const codec = new FeatureCodec([spec]);
    const scale = Math.fround(spec.scale ?? 1);
    const real = numbers ?? [0.1234567, -3.7, 0.01];
    const isExact = letter === 'q';
    const values = isExact ? real.map((n) => Math.fround(Math.fround(n + 128) * scale)) : real;
    const matrix = new Matrix(Float32Array.from([...values, ...values]), 3);
    const encoded = codec.encode([matrix]);
    expect(encoded.encoding).toBe(letter);
    const [decoded] = codec.decode(encoded);
    const error = matrix.data.map((value, i) => Math.abs(value - (decoded?.data[i] ?? 0)));
    const size = Math.hypot(...matrix.row(0));
    expect(Math.max(...error)).toBeLessThanOrEqual(letter === 'e' ? size * 2 ** -11 : 0);
  });
});

function manifest(features: number, task: Manifest['task'] = 'classification'): Manifest {
  const fingerprints = { base: 'base', head: 'head', optimizer: 'optimizer' };
  const specs = [{ ...FLOAT, shape: [features] }];
  return { features: specs, fingerprints, task, layers: null } as unknown as Manifest;
}

function sample(features: readonly number[], label: string, id = 0): SampleOfStore {
  return {
    features: [new Matrix(Float32Array.from(features), features.length)],
    targets: new Map([[label, 1]]),
    source: Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? id % 256 : id >> 8)),
    heldOut: false,
    images: new Map(),
  };
}

describe('a full store', () => {
  const evict = ALL_RULES.filter(({ rule }) => rule === 'evict');

  it.each(evict.flatMap(({ cases }) => cases))('evicts: $about', async ({ inputs, outputs }) => {
    const { classes, features, max_samples, first_id } = inputs as never as {
      classes: number[];
      features: number[][];
      max_samples: number;
      first_id: number;
    };
    const connection = await openMemory();
    const store = await SampleStore.open(connection, 'store', manifest(features[0]?.length ?? 0), {
      maxSamples: max_samples,
      maxBytes: undefined,
    });
    connection.exec(`INSERT INTO sqlite_sequence VALUES ('sample', ${first_id - 1})`);
    const ids = features.map((row, i) => {
      store.add(sample(row, `class ${classes[i]}`, i), new Map());
      return store.samples().map(({ id }) => id);
    });
    expect({ ids }).toEqual(outputs);
  });
});

describe('a damaged store', () => {
  async function bytes(): Promise<Uint8Array> {
    const connection = await openMemory();
    const store = await SampleStore.open(connection, 'store', manifest(3));
    for (let id = 0; id < 20; id += 1) {
      const images = new Map([['thumbnail', Uint8Array.of(id, 1, 2, 3)]]);
      store.add({ ...sample([id, 2, 3], id % 2 ? 'hat' : 'scarf', id), images }, new Map());
    }
    return exportDatabase(connection);
  }

  async function check(content: Uint8Array): Promise<void> {
    const connection = await openCopy(content, 'store');
    const store = await SampleStore.open(connection, 'store', manifest(3), undefined, false);
    try {
      store.check();
    } finally {
      store.close();
    }
  }

  it('is read if it is whole', async () => {
    await check(await bytes());
  });

  it.each([
    ['UPDATE features SET data = zeroblob(6) WHERE sample = 3', 'the features of sample 3'],
    ["UPDATE class SET name = 'cap' WHERE name = 'hat'", 'the name of class'],
    ['UPDATE sample SET held_out = 1 WHERE id = 2', 'sample 2 has changed'],
    ['UPDATE target SET value = 0.5 WHERE sample = 2', 'sample 2 has changed'],
    ['DELETE FROM sample WHERE id = 4', 'sample 4 is missing'],
    ['UPDATE image SET data = zeroblob(4) WHERE sample = 5', 'the thumbnail of sample 5'],
    ['DELETE FROM features WHERE sample = 6', 'the features of sample 6'],
    ['CREATE TABLE other (x)', 'its tables are not the tables of a store'],
    ['CREATE VIEW other AS SELECT 1', 'its tables are not the tables of a store'],
    ['PRAGMA user_version = 3', 'is a store of version 3'],
    ['PRAGMA application_id = 3', 'is not a sample store'.slice(7)],
    ["UPDATE meta SET value = 'x' WHERE key = 'base'", 'features of another base'],
  ])('is refused after %s', async (statement, message) => {
    const connection = await openCopy(await bytes(), 'store');
    connection.exec(statement);
    await expect(check(await exportDatabase(connection))).rejects.toThrow(message);
  });

  it.each([0, 100, 9000])('is refused if it is cut off at byte %i', async (size) => {
    await expect(check((await bytes()).subarray(0, size))).rejects.toThrow('damaged');
  });
});

it('is read by Python with the same samples', async () => {
  const connection = await openMemory();
  const store = await SampleStore.open(connection, 'store', manifest(3));
  store.add(sample([1, 2, 3], 'Hüte', 1), new Map([['Hüte', 'key of hats']]));
  store.setAppData('order', 'a');
  store.add(sample([0.1, 0.2, 0.3], 'b', 2), new Map());
  store.rename('b', 'c');
  store.forget([1]);
  const folder = mkdtempSync(join(tmpdir(), 'sartor-store-'));
  writeFileSync(join(folder, 'store'), await store.export());
  const program = `
import json, sys, types
from sartor.contract.specs import FeatureSpec, Fingerprints
from sartor.runtime.store import SampleStore
features = (FeatureSpec("features", (3,), "float32", None, None),)
manifest = types.SimpleNamespace(
    features=features, task="classification", layers=None, fingerprints=Fingerprints("base", "head", "optimizer"))
with SampleStore(sys.argv[1], manifest, create=False) as store:
    store.check()
    rows = store.select()
    print(json.dumps([
        [[s.id, dict(s.targets), s.source] for s in store.samples()],
        rows.features[0].tolist(), list(store.class_keys().values()), store.app_data("")]))`;
  const [samples, features, keys, texts] = JSON.parse(python(program, join(folder, 'store')));
  rmSync(folder, { recursive: true });
  expect(samples).toEqual(store.samples().map(({ id, targets, source }) => [id, targets, source]));
  expect(features).toEqual([Array.from(inMemory(store.select().features)[0]?.data ?? [])]);
  expect(keys).toEqual([null, 'c']);
  expect(texts).toEqual({ order: 'a' });
});

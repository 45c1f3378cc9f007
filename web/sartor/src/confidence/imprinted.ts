/** The temperature of a model whose classes are imprinted and not trained. */

import { type Manifest, TEMPERATURE } from '../../../../contract/generated/contract.js';
import { Batch, evaluateBatches } from '../data/batches.js';
import { unlabelledDataset } from '../data/dataset.js';
import { Matrix } from '../data/matrix.js';
import type { Engine } from '../litert/engine.js';
import { defaultTemperature } from './temperature.js';

/**
 * Set the temperature of a model whose classes are all imprinted.
 *
 * @param engine - engine that holds the model.
 * @param manifest - manifest of the model, a classifier.
 * @param means - for each class by rising index, the mean of its samples: one row of each features
 *   tensor, or none if there are no samples. The first B means count.
 */
export async function calibrate(
  engine: Engine,
  manifest: Manifest,
  means: readonly (readonly Matrix[])[],
): Promise<void> {
  const rows = manifest.features.map((_, tensor) => {
    const stacked = Matrix.stack(means.map((mean) => mean[tensor] as Matrix));
    return stacked.first(Math.min(manifest.batch_size, stacked.rows));
  });
  if (rows[0]?.rows === 0) {
    return;
  }
  const variables = await engine.variables();
  const dataset = unlabelledDataset(manifest, rows);
  const { outputs } = await evaluateBatches(engine, new Batch(manifest), dataset);
  const before = (variables[TEMPERATURE] as Float32Array)[0] as number;
  const temperature = defaultTemperature(outputs, before);
  await engine.restore({ ...variables, [TEMPERATURE]: Float32Array.of(temperature) });
}

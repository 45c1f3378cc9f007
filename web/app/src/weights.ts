/** The digest of the weights of a model: results belong to the weights that they were measured on. */

import type { PersonalModel } from 'sartor';

const LENGTH = 8; // bytes of the length of the header of a safetensors file
/** Names of checkpoint entries other than weights. */
const METADATA = /^(__metadata__$|ood\/|app\/)/;

/**
 * Return the SHA-256 of the weights of a model, in hexadecimal digits.
 *
 * It does not depend on the names of the classes, nor on the samples.
 */
export async function weightsDigest(model: PersonalModel): Promise<string> {
  const checkpoint = new Uint8Array(await model.saveCheckpoint());
  const length = new DataView(checkpoint.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(checkpoint.subarray(LENGTH, LENGTH + length)));
  const data = checkpoint.subarray(LENGTH + length);
  const names = Object.keys(header).filter((name) => !METADATA.test(name));
  const tensors = names.sort().map((name) => {
    const [start, end] = header[name].data_offsets as [number, number];
    return data.subarray(start, end);
  });
  const digest = await crypto.subtle.digest('SHA-256', await new Blob(tensors).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The engine on LiteRT.js: one call at a time, with checked inputs. */

import { type CompiledModel, Tensor as LiteRtTensor, loadAndCompile } from '@litertjs/core';
import { RUN } from '../../../../contract/generated/contract.js';
import {
  type Signature,
  type SignatureName,
  type Signatures,
  signatures,
  type TensorSpecs,
} from '../contract/signatures.js';
import { volume } from '../data/batches.js';
import { DataError, InvalidModelError, NotPersonalizableError, SartorError } from '../errors.js';
import type { Engine, Tensor, Tensors, Variables } from './engine.js';
import type { ModelFile } from './model_file.js';

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
const ONE = Float32Array.of(1);

/** An engine on LiteRT.js. Create it with `LiteRtEngine.load`. */
export class LiteRtEngine implements Engine {
  readonly #file: ModelFile;
  readonly #signatures: Signatures;
  #model: CompiledModel | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: ModelFile, model: CompiledModel) {
    this.#file = file;
    this.#model = model;
    this.#signatures = signatures(file.manifest);
  }

  /**
   * Load a file into LiteRT.js, which is loaded already.
   *
   * @param file - a file that has passed all checks.
   * @throws InvalidModelError if LiteRT.js cannot load it.
   * @throws NotPersonalizableError if a signature differs from the manifest.
   */
  static async load(file: ModelFile): Promise<LiteRtEngine> {
    let model: CompiledModel;
    try {
      model = await loadAndCompile(file.content, { accelerator: 'wasm' });
    } catch (error) {
      throw new InvalidModelError(`${file.name}: LiteRT.js cannot load it: ${error}`);
    }
    const engine = new LiteRtEngine(file, model);
    try {
      engine.#checkSignatures(model);
    } catch (error) {
      engine.close();
      throw error;
    }
    return engine;
  }

  /** See `Engine`. */
  async run(key: SignatureName, inputs: Tensors): Promise<Record<string, Float32Array>> {
    this.#open();
    const specs = (this.#signatures[key] as Signature).inputs;
    checkInputs(key, specs, inputs);
    const tensors: Record<string, LiteRtTensor> = {};
    try {
      for (const [name, { shape }] of Object.entries(specs)) {
        tensors[name] = new LiteRtTensor(inputs[name] as Float32Array, [...shape]);
      }
    } catch (error) {
      deleteAll(tensors);
      throw this.#failure(key, error);
    }
    const call = this.#last.then(() => this.#call(key, tensors));
    this.#last = call.catch(() => {});
    return call;
  }

  /** See `Engine`. */
  variables(): Promise<Record<string, Float32Array>> {
    return this.run('save', { [RUN]: ONE });
  }

  /** See `Engine`. */
  async restore(variables: Variables): Promise<void> {
    await this.run('restore', variables);
  }

  /** See `Engine`. */
  async initialVariables(): Promise<Record<string, Float32Array>> {
    // Calls run in order, so no other call comes between these.
    const [current, , initial] = await Promise.all([
      this.variables(),
      this.run('initialize', { [RUN]: ONE }),
      this.variables(),
    ]);
    await this.restore(current);
    return initial;
  }

  /** See `Engine`. */
  copy(): Promise<LiteRtEngine> {
    return LiteRtEngine.load(this.#file);
  }

  /** See `Engine`. */
  close(): void {
    const model = this.#model;
    this.#model = undefined;
    void this.#last.then(() => model?.delete());
  }

  async #call(key: SignatureName, tensors: Record<string, LiteRtTensor>) {
    const result: Record<string, Float32Array> = {};
    let outputs: Record<string, LiteRtTensor> = {};
    try {
      outputs = await this.#open().run(key, tensors);
      for (const [name, tensor] of Object.entries(outputs)) {
        result[name] = (tensor.toTypedArray() as Float32Array).slice();
      }
    } catch (error) {
      throw error instanceof SartorError ? error : this.#failure(key, error);
    } finally {
      deleteAll(tensors);
      deleteAll(outputs);
    }
    return result;
  }

  #open(): CompiledModel {
    if (this.#model === undefined) {
      throw new SartorError('the model is closed: open it again with PersonalModel.open');
    }
    return this.#model;
  }

  #failure(key: string, error: unknown): SartorError {
    return new SartorError(`${this.#file.name}: LiteRT.js failed in ${key}: ${error}`);
  }

  #checkSignatures(model: CompiledModel): void {
    for (const [key, signature] of Object.entries(this.#signatures)) {
      const runner = model.signatures[key];
      if (runner === undefined) {
        throw new NotPersonalizableError(`${this.#file.name} has no signature '${key}'.`);
      }
      for (const [side, specs, details] of [
        ['inputs', signature.inputs, runner.getInputDetails()],
        ['outputs', signature.outputs, runner.getOutputDetails()],
      ] as const) {
        const actual = Object.fromEntries(details.map(({ name, ...rest }) => [name, rest]));
        if (describe(actual) !== describe(specs)) {
          throw new NotPersonalizableError(
            `${this.#file.name}: the ${side} of '${key}' are ${describe(actual)}, but its ` +
              `manifest states ${describe(specs)}. Convert the base again.`,
          );
        }
      }
    }
  }
}

function describe(
  specs: Readonly<Record<string, { dtype: string; shape: ArrayLike<number> }>>,
): string {
  return Object.entries(specs)
    .map(([name, { dtype, shape }]) => `${name} ${dtype} [${Array.from(shape)}]`)
    .sort()
    .join(', ');
}

function checkInputs(key: string, specs: TensorSpecs, inputs: Tensors): void {
  const [expected, names] = [Object.keys(specs), Object.keys(inputs)];
  if (names.length !== expected.length || !expected.every((name) => Object.hasOwn(inputs, name))) {
    const got = names.join(', ') || 'nothing';
    throw new DataError(`${key} takes ${expected.join(', ')}; got ${got}`);
  }
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const value = inputs[name] as Tensor;
    const type = TYPES[dtype as keyof typeof TYPES];
    if (!(value instanceof type) || value.length !== volume(shape)) {
      throw new DataError(
        `${key}: ${name} must be ${type.name} [${shape}], ${volume(shape)} values; got ` +
          `${value?.constructor.name}, ${value?.length} values`,
      );
    }
  }
}

function deleteAll(tensors: Readonly<Record<string, LiteRtTensor>>): void {
  for (const tensor of Object.values(tensors)) {
    tensor.delete();
  }
}

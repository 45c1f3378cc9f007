/** The interface to one copy of a personalizable file: call its signatures. */

import type { SignatureName } from '../contract/signatures.js';

/** A tensor of a signature, row by row; the manifest states its shape. */
export type Tensor = Float32Array | Int32Array | Uint8Array;

/** Name → tensor. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Name → value of each variable. */
export type Variables = Readonly<Record<string, Float32Array>>;

/**
 * One copy of a personalizable file, with its own variables.
 *
 * Calls run one at a time, in the order in which they are made. The engine copies all inputs before
 * `run` returns its promise, and its outputs are copies.
 */
export interface Engine {
  /**
   * Call a signature.
   *
   * @param key - name of the signature.
   * @param inputs - name → tensor, with the sizes and types of the contract.
   * @returns name → tensor of each output; all are float32.
   * @throws DataError if an input is missing, unknown, or has another size or type.
   * @throws SartorError if the engine is closed, or LiteRT.js fails.
   */
  run(key: SignatureName, inputs: Tensors): Promise<Record<string, Float32Array>>;

  /** Return the value of each variable. */
  variables(): Promise<Record<string, Float32Array>>;

  /** Set every variable; throws DataError if one is missing or does not fit. */
  restore(variables: Variables): Promise<void>;

  /** Return the initial value of each variable; the current values do not change. */
  initialVariables(): Promise<Record<string, Float32Array>>;

  /** Return another engine on the same file, with the initial values of the variables. */
  copy(): Promise<Engine>;

  /** Release the memory. Later calls throw SartorError. */
  close(): void;
}

/** The messages between the page and its worker, and the types of the API. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import type { Label } from '../data/tasks.js';
import type { ErrorCode } from '../errors.js';
import type { Epoch, Evaluation, History, Predictions } from '../results/records.js';
import type { TrainingOptions } from '../training/config.js';

/** An image that a worker can read: the bytes of a file, pixels, or a frame. */
export type WorkerImage = Blob | ArrayBuffer | ImageData | ImageBitmap;

/** An array of exactly the size of an input, row by row, which is fed without preprocessing. */
export type InputArray = Float32Array | Int32Array | Uint8Array;

/** A sample in the worker; for a base with several inputs, a record with their names. */
export type WorkerInput =
  | WorkerImage
  | InputArray
  | Readonly<Record<string, WorkerImage | InputArray>>;

/** Options of `PersonalModel.open`. */
export interface ModelOptions {
  /**
   * URL of the folder with the files of `@litertjs/core/wasm`, relative to the page. Default:
   * `litert/`.
   */
  readonly runtime?: string | URL | undefined;
  /**
   * Name of the storage in this browser. Two models of one name share samples and checkpoint.
   * Default: the first 16 digits of the fingerprint of the base.
   */
  readonly name?: string | undefined;
  /**
   * `browser` stores samples and checkpoint in the origin private file system; `memory` loses them
   * with the page. Default: `browser`.
   */
  readonly storage?: 'browser' | 'memory' | undefined;
  /**
   * Whether to compute with several threads. The page must be cross-origin isolated. Default:
   * false.
   */
  readonly threads?: boolean | undefined;
  /** Whether to store a thumbnail of each sample. Default: false. */
  readonly thumbnails?: boolean | undefined;
  /** Whether to store the photo of each sample, for another base. Default: false. */
  readonly photos?: boolean | undefined;
  /** Largest number of samples, at least 1. A full store evicts samples. Default: no limit. */
  readonly maxSamples?: number | undefined;
  /** Largest size of all samples in bytes, at least 1. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

/** Options of `PersonalModel.addSample`. */
export interface SampleOptions {
  /** Whether to use the sample to measure, and never to train. Default: false. */
  readonly heldOut?: boolean | undefined;
  /** Name of the sample in the app, such as an asset ID. Default: from its content. */
  readonly source?: string | undefined;
  /** Number of augmentations to train on as well, images only. Default: 0. */
  readonly augment?: number | undefined;
  /** Whether to store a thumbnail. Default: that of the model. */
  readonly thumbnail?: boolean | undefined;
  /** Features of this input from `predict`, which saves an inference. Default: computed. */
  readonly features?: readonly Float32Array[] | undefined;
}

/** Options of `PersonalModel.predict`. */
export interface PredictionOptions {
  /** Whether to return the features too, for `addSample`. Default: false. */
  readonly features?: boolean | undefined;
}

/** A prediction, with the features of the input if they were requested. */
export interface PredictionsOfInput extends Predictions {
  /** Values of each features tensor, row by row. */
  readonly features?: readonly Float32Array[] | undefined;
}

/** One class of a model. */
export interface ClassSummary {
  /** Name of the class. */
  readonly name: string;
  /** Class index; undefined if the class has had no sample yet. */
  readonly index: number | undefined;
  /** Number of its samples, held-out ones included. */
  readonly samples: number;
  /** Number of its held-out samples. */
  readonly heldOut: number;
  /** Whether a training has changed its weights; otherwise they are imprinted. */
  readonly trained: boolean;
}

/** One sample of the store, without its features. */
export interface StoredSample {
  /** Number of the sample; numbers increase, and none is used twice. */
  readonly id: number;
  /**
   * Class name → target: 1 for the class of a classification, 1 or 0 for several labels, any number
   * for a regression. Other targets are missing.
   */
  readonly targets: Readonly<Record<string, number>>;
  /** Time of adding, for information only. */
  readonly added: Date;
  /** Whether the sample measures and does not train. */
  readonly heldOut: boolean;
  /** Number of rows of features: 1 for the sample, and 1 for each augmentation. */
  readonly rows: number;
  /** Hash that identifies the sample, in hexadecimal, or undefined. */
  readonly source: string | undefined;
}

/** A thumbnail, a PNG of at most 48 x 48 pixels. */
export interface Thumbnail {
  /** Number of the sample. */
  readonly id: number;
  readonly image: Blob;
}

/** What the worker states about an open model. */
export interface Opened {
  readonly manifest: Manifest;
  /** Name of the storage. */
  readonly name: string;
  /** Messages about saved parts that do not fit the model, or are damaged. */
  readonly notes: readonly string[];
}

/** The functions of a worker that has no model. */
export interface OpeningVerbs {
  open(source: string | Blob | ArrayBuffer, runtime: string, options: ModelOptions): Opened;
  modelOfProject(content: Blob | ArrayBuffer): Uint8Array;
}

/** The functions of the worker. Each has the meaning of the method of `PersonalModel`. */
export interface Verbs extends OpeningVerbs {
  addSample(input: WorkerInput, label: Label, options: SampleOptions): number;
  find(input: WorkerInput, source: string | undefined): StoredSample | undefined;
  predict(input: WorkerInput, options: PredictionOptions): PredictionsOfInput;
  predictValues(input: WorkerInput): ReadonlyMap<string, number>;
  evaluate(samples: readonly (readonly [WorkerInput, Label])[] | undefined): Evaluation;
  fit(job: number, options: TrainingOptions): History;
  pause(job: number): void;
  resume(job: number): void;
  stop(job: number | undefined): void;
  classes(): readonly ClassSummary[];
  addClass(name: string): void;
  renameClass(label: string, name: string): void;
  removeClass(label: string): void;
  samples(): readonly StoredSample[];
  thumbnails(label: string | undefined, limit: number): readonly Thumbnail[];
  photo(id: number): Blob | undefined;
  forget(ids: readonly number[]): void;
  appData(prefix: string): ReadonlyMap<string, string>;
  setAppData(key: string, text: string | undefined): void;
  save(): void;
  load(): readonly string[];
  saveCheckpoint(): Uint8Array;
  loadCheckpoint(content: Blob | ArrayBuffer): readonly string[];
  bake(): Uint8Array;
  freeze(): Uint8Array;
  exportProject(): Blob;
  importProject(content: Blob | ArrayBuffer): readonly string[];
  close(): void;
}

/** The functions of the worker as it implements them. */
export type Service = {
  [Verb in Exclude<keyof Verbs, keyof OpeningVerbs>]: (
    ...args: Parameters<Verbs[Verb]>
  ) => Promise<ReturnType<Verbs[Verb]>>;
};

/** A call of the page. */
export interface Call {
  readonly id: number;
  readonly verb: keyof Verbs;
  readonly args: readonly unknown[];
}

/** An error, as it crosses from the worker to the page. */
export interface ErrorMessage {
  readonly name: string;
  readonly message: string;
  readonly code: ErrorCode | undefined;
}

/** A message of the worker: the result of a call, its error, or an epoch of a job. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorMessage }
  | { readonly job: number; readonly epoch: Epoch };

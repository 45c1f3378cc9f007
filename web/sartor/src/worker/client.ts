/** The page's side of the messages: calls, their results, and the epochs of jobs. */

import {
  CheckpointError,
  DataError,
  InvalidModelError,
  NotPersonalizableError,
  SartorError,
  StoreError,
  TrainingError,
} from '../errors.js';
import type { Epoch } from '../results/records.js';
import type { Call, ErrorMessage, Reply, Verbs } from './messages.js';

const ERRORS = {
  CheckpointError,
  DataError,
  InvalidModelError,
  NotPersonalizableError,
  SartorError,
  StoreError,
  TrainingError,
};

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** Calls the functions of a worker. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, (epoch: Epoch) => void>();
  #calls = 0;
  #jobs = 0;
  #end: Error | undefined;

  /** Start a worker. */
  static start(): WorkerClient {
    return new WorkerClient(
      // a bundler recognizes this expression only
      new Worker(new URL('./entry.js', import.meta.url), { type: 'module', name: 'sartor' }),
    );
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    worker.onmessageerror = () => this.terminate('the worker sent a message that cannot be read');
    worker.onerror = (event) => {
      event.preventDefault();
      this.terminate(`the worker has failed: ${event.message || 'its script cannot be loaded'}`);
    };
  }

  /** Whether the worker has ended. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Call a function of the worker.
   *
   * @param verb - name of the function.
   * @param args - its arguments.
   * @param transfer - objects that move to the worker; the page cannot use them afterwards.
   * @throws SartorError if the worker throws it, or has ended.
   */
  call<Verb extends keyof Verbs>(
    verb: Verb,
    args: Parameters<Verbs[Verb]>,
    transfer: readonly Transferable[] = [],
  ): Promise<ReturnType<Verbs[Verb]>> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      this.#calls += 1;
      const call: Call = { id: this.#calls, verb, args };
      try {
        this.#worker.postMessage(call, [...transfer]);
      } catch (error) {
        reject(new DataError(`an argument of ${verb} cannot be sent to the worker: ${error}`));
        return;
      }
      this.#pending.set(call.id, { resolve, reject });
    });
  }

  /** Return the number of a new job, whose epochs a function receives. */
  newJob(onEpoch: (epoch: Epoch) => void): number {
    this.#jobs += 1;
    this.#listeners.set(this.#jobs, onEpoch);
    return this.#jobs;
  }

  /** Send no more epochs of a job. */
  endJob(job: number): void {
    this.#listeners.delete(job);
  }

  /** End the worker; all calls fail with this message. */
  terminate(message: string): void {
    this.#worker.terminate();
    this.#end ??= new SartorError(
      `${message}. Open the model again with PersonalModel.open`,
      'ended',
    );
    for (const { reject } of this.#pending.values()) {
      reject(this.#end);
    }
    this.#pending.clear();
  }

  #receive(reply: Reply): void {
    if ('job' in reply) {
      this.#listeners.get(reply.job)?.(reply.epoch);
      return;
    }
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) {
      pending?.reject(errorOf(reply.error));
    } else {
      pending?.resolve(reply.result as never);
    }
  }
}

function errorOf({ name, message, code }: ErrorMessage): Error {
  const type = ERRORS[name as keyof typeof ERRORS];
  if (type !== undefined) {
    return new type(message, code);
  }
  return Object.assign(new Error(message), { name });
}

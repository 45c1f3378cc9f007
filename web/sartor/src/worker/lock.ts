/** A lock of asynchronous work: one piece at a time, in order. */
export class Lock {
  #last: Promise<unknown> = Promise.resolve();

  /** Run work after all earlier work has ended, and return its result. */
  run<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Control of a running training: pause, resume, stop and a time limit. */

import { takeTurns } from '../turns.js';

/** What two controls share: the requests of the app. */
interface Requests {
  stopped: boolean;
  /** Resolves at the end of a pause. */
  pause: Promise<void> | undefined;
  resume: () => void;
}

/** Pauses and stops a training between two steps. */
export class Control {
  readonly #start = performance.now();
  #paused = 0; // ms
  #deadline: number; // s
  #requests: Requests = { stopped: false, pause: undefined, resume: () => {} };

  /**
   * @param seconds - time limit of the training, in seconds; pauses do not count. Default: no
   *   limit.
   */
  constructor(readonly seconds?: number) {
    this.#deadline = seconds ?? Number.POSITIVE_INFINITY;
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.#requests.stopped;
  }

  /** Whether the training waits for `resume`. */
  get paused(): boolean {
    return this.#requests.pause !== undefined;
  }

  /** Time since the start, in seconds, without pauses. */
  get elapsed(): number {
    return (performance.now() - this.#start - this.#paused) / 1000;
  }

  /** Used fraction of the time limit, 0…1; 0 if there is no limit. */
  get used(): number {
    return this.seconds === undefined ? 0 : Math.min(1, this.elapsed / this.seconds);
  }

  /** Whether the time limit has passed. */
  get expired(): boolean {
    return this.elapsed >= this.#deadline;
  }

  /** End the training before its next step, even if it is paused. */
  stop(): void {
    this.#requests.stopped = true;
    this.resume();
  }

  /** Pause before the next step. */
  pause(): void {
    if (!this.stopped && !this.paused) {
      this.#requests.pause = new Promise((resolve) => {
        this.#requests.resume = resolve;
      });
    }
  }

  /** Continue after `pause`. */
  resume(): void {
    this.#requests.pause = undefined;
    this.#requests.resume();
  }

  /**
   * Return a control for further work, paused and stopped together with this one.
   *
   * The work has the same time limit again, but its learning rate does not depend on the time.
   */
  limited(): Control {
    const control = new Control();
    control.#requests = this.#requests;
    control.#deadline = this.#deadline;
    return control;
  }

  /** Let messages pass, wait while the training is paused, and return whether it continues. */
  async wait(): Promise<boolean> {
    await takeTurns();
    const start = performance.now();
    while (this.#requests.pause !== undefined) {
      await this.#requests.pause;
    }
    this.#paused += performance.now() - start;
    return !this.stopped && !this.expired;
  }
}

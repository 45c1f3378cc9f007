/** The training: its progress, its result, and the evaluation on test samples. */

import { signal } from '@preact/signals';
import type { Epoch, Evaluation, History, TrainingJob, TrainingOptions } from 'sartor';
import type { Messages } from './messages.js';
import type { Project } from './project.js';

/** The states of the training. */
export type TrainingState = 'idle' | 'running' | 'paused';

/** Trains the model of the project. */
export class Trainer {
  readonly state = signal<TrainingState>('idle');
  /** Epochs of the running or the last training. */
  readonly epochs = signal<readonly Epoch[]>([]);
  readonly history = signal<History | undefined>(undefined);
  /** The evaluation on the test samples; undefined if there are none. */
  readonly evaluation = signal<Evaluation | undefined>(undefined);
  /** Options that the user has set. */
  readonly options = signal<TrainingOptions>({});
  readonly #project: Project;
  readonly #messages: Messages;
  #job: TrainingJob | undefined;
  #received: Epoch[] = [];

  constructor(project: Project, messages: Messages) {
    this.#project = project;
    this.#messages = messages;
  }

  /** Train on all training samples. */
  async train(): Promise<void> {
    this.state.value = 'running';
    this.epochs.value = [];
    this.#received = [];
    this.#messages.speak('Training has started');
    try {
      this.#job = this.#project.model.fit(this.options.value, {
        onEpoch: (epoch) => this.#receive(epoch),
      });
      const history = await this.#job.history;
      this.history.value = history;
      this.epochs.value = history.epochs;
      await this.evaluate();
      await this.#project.refresh();
      this.#messages.speak(history.stopped ? 'Training was stopped' : 'Training has finished');
    } catch (error) {
      this.#messages.error(error);
    } finally {
      this.#job = undefined;
      this.state.value = 'idle';
    }
  }

  async pause(): Promise<void> {
    await this.#job?.pause();
    this.state.value = 'paused';
  }

  async resume(): Promise<void> {
    await this.#job?.resume();
    this.state.value = 'running';
  }

  async stop(): Promise<void> {
    await this.#job?.stop();
  }

  /** Measure the model on the test samples, if there are any. */
  async evaluate(): Promise<void> {
    const hasTest = this.#project.counts.peek().test > 0;
    try {
      this.evaluation.value = hasTest ? await this.#project.model.evaluate() : undefined;
    } catch (error) {
      if (this.#project.state.peek() === 'open') {
        this.#messages.error(error);
      }
    }
  }

  /** Forget the results, because the classes were replaced. */
  clear(): void {
    this.epochs.value = [];
    this.history.value = undefined;
    this.evaluation.value = undefined;
  }

  /** Collect epochs, and publish them once in an animation frame. */
  #receive(epoch: Epoch): void {
    if (this.#received.length === 0) {
      requestAnimationFrame(() => {
        const received = this.#received;
        this.#received = [];
        if (this.#job !== undefined) {
          this.epochs.value = [...this.epochs.value, ...received];
        }
      });
    }
    this.#received.push(epoch);
  }
}

/** The training: its progress, its result, and the evaluation on test samples. */

import { computed, effect, signal, untracked } from '@preact/signals';
import type { Epoch, Evaluation, History, TrainingJob, TrainingOptions } from 'sartor';
import type { Messages } from './messages.js';
import type { Project } from './project.js';
import {
  isCurrent,
  loadResult,
  resultOf,
  saveResult,
  type TrainingResult,
} from './saved_results.js';

/** The states of the training. */
export type TrainingState = 'idle' | 'running' | 'paused';

/** Trains the model of the project. */
export class Trainer {
  readonly state = signal<TrainingState>('idle');
  /** Epochs of the running training. */
  readonly epochs = signal<readonly Epoch[]>([]);
  /** The result of the last training. */
  readonly result = signal<TrainingResult | undefined>(undefined);
  /** The evaluation on the test samples; undefined if there are none. */
  readonly evaluation = signal<Evaluation | undefined>(undefined);
  /** Options that the user has set. */
  readonly options = signal<TrainingOptions>({});
  readonly #project: Project;
  readonly #messages: Messages;
  #job: TrainingJob | undefined;
  #received: Epoch[] = [];
  /** The classes with training samples, and whether they are trained: their weights depend on it. */
  readonly #classes = computed(() => {
    const classes = this.#project.classes.value.filter((each) => each.samples > each.heldOut);
    return classes.map(({ name, trained }) => `${name}: ${trained}`).join();
  });

  constructor(project: Project, messages: Messages) {
    this.#project = project;
    this.#messages = messages;
    effect(() => {
      if (project.replacements.value > 0) {
        void this.#restore();
      }
    });
    effect(() => {
      void this.#classes.value;
      untracked(() => this.#hideOutdated().catch(console.warn)); // another tab may take it over
    });
  }

  /** Train on all training samples. */
  async train(): Promise<void> {
    this.state.value = 'running';
    this.epochs.value = [];
    this.#received = [];
    this.#messages.speak('Training has started');
    try {
      await this.#save(undefined); // an interrupted training must not leave the result of other weights
      this.#job = this.#project.model.fit(this.options.value, {
        onEpoch: (epoch) => this.#receive(epoch),
      });
      const history = await this.#job.history;
      this.result.value = await resultOf(this.#project.model, history);
      await this.#save(this.result.value);
      await this.evaluate();
      await this.#project.refresh();
      this.#messages.speak(summary(history));
    } catch (error) {
      this.#reportFailure('The training has failed.', error);
    } finally {
      this.#job = undefined;
      this.state.value = 'idle';
    }
  }

  async pause(): Promise<void> {
    const job = this.#job;
    await job?.pause();
    if (job?.running) {
      this.#publish(); // a paused training shows its last epoch
      this.state.value = 'paused';
    }
  }

  async resume(): Promise<void> {
    const job = this.#job;
    await job?.resume();
    if (job?.running) {
      this.state.value = 'running';
    }
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
      this.#reportFailure('The test samples were not measured.', error);
    }
  }

  /** Tell the user of an error, unless the model was closed: for another base, or by another tab. */
  #reportFailure(failure: string, error: unknown): void {
    if (this.#project.state.peek() === 'open') {
      this.#messages.failure(failure, error);
    }
  }

  /** Store the result. If that fails, storing the weights fails too, and the library warns of it. */
  async #save(result: TrainingResult | undefined): Promise<void> {
    try {
      await saveResult(this.#project.model, result);
    } catch (error) {
      console.warn(error);
    }
  }

  /** Show the results of the last training of the open model. */
  async #restore(): Promise<void> {
    this.evaluation.value = undefined;
    // another tab may take the model over meanwhile: then there is no result to show
    this.result.value = await loadResult(this.#project.model).catch(() => undefined);
  }

  /** Hide the result if the weights have changed since, because a class has come or gone. */
  async #hideOutdated(): Promise<void> {
    const result = this.result.value;
    const isIdle = this.state.value === 'idle' && this.#project.state.value === 'open';
    if (result === undefined || !isIdle || (await isCurrent(this.#project.model, result))) {
      return;
    }
    if (this.result.value === result) {
      this.result.value = undefined;
    }
  }

  /** Collect epochs, and publish them once in an animation frame. */
  #receive(epoch: Epoch): void {
    if (this.#received.length === 0) {
      requestAnimationFrame(() => this.#publish());
    }
    this.#received.push(epoch);
  }

  #publish(): void {
    const received = this.#received;
    this.#received = [];
    if (this.#job !== undefined && received.length > 0) {
      this.epochs.value = [...this.epochs.value, ...received];
    }
  }
}

/** Return the end of a training in words, for a screen reader. */
function summary({ stopped, expectedAccuracy }: History): string {
  const accuracy =
    expectedAccuracy === undefined
      ? ''
      : `. Expected accuracy: ${Math.round(expectedAccuracy * 100)} percent`;
  return `Training ${stopped ? 'was stopped' : 'has finished'}${accuracy}`;
}

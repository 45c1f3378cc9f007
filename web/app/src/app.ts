/** The parts of the app, and their start. */

import { effect, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { chosenBase, type ListedBase, listBases } from './bases.js';
import { Camera } from './camera/camera.js';
import { explain } from './explanations.js';
import { Importer } from './importer.js';
import { Messages } from './messages.js';
import { incomplete } from './moving.js';
import { startOffline } from './offline.js';
import { Predictor } from './predictor.js';
import { Project } from './project.js';
import { Trainer } from './trainer.js';

/** The parts of the app. */
export class App {
  readonly messages = new Messages();
  readonly camera = new Camera();
  readonly project = new Project();
  readonly predictor = new Predictor(this.project, this.camera, this.messages);
  readonly trainer = new Trainer(this.project, this.messages);
  readonly importer = new Importer(this.project, this.predictor, this.messages);
  /** The bases of the site. */
  readonly bases = signal<readonly ListedBase[]>([]);
  /** Whether the app works offline. */
  readonly isOffline = signal(false);

  /** Start the camera and open the last base. */
  async start(): Promise<void> {
    effect(() => this.#followTestSamples());
    this.isOffline.value = await startOffline();
    void this.camera.start();
    void this.predictor.run();
    void navigator.storage?.persist?.();
    if (!isSecureContext) {
      this.project.fail('Browsers store samples for https pages and for localhost only.');
      return;
    }
    try {
      this.bases.value = await listBases();
      await this.project.opened.load();
      const base = await chosenBase(this.bases.value, this.project.opened);
      if (base === undefined) {
        this.project.fail('This site has no base. Drop in a file that `sartor convert` wrote.');
        return;
      }
      if (!(await this.project.open(base))) {
        this.messages.note(incomplete(base.name));
      }
    } catch (error) {
      console.warn(error);
      if (this.project.state.value === 'opening') {
        this.project.fail(explain(error)); // the browser blocks what the page stores
      }
    }
  }

  /** Measure the model on the test samples whenever classes or samples have changed. */
  #followTestSamples(): void {
    const { project, predictor, importer, trainer } = this;
    const isBusy =
      predictor.recording.value !== undefined ||
      importer.progress.value !== undefined ||
      trainer.state.value !== 'idle';
    if (project.state.value === 'open' && project.classes.value.length > 0 && !isBusy) {
      void trainer.evaluate();
    }
  }
}

const Context = createContext<App | undefined>(undefined);

/** Provides the app to the components. */
export const AppProvider = Context.Provider;

/** Return the app, in a component. */
export function useApp(): App {
  return useContext(Context) as App;
}

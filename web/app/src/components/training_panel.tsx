/** The training: its button, its progress with the loss curve, and its options. */

import type { TrainingOptions } from 'sartor';
import { useApp } from '../app.js';
import { Icon } from './icons.js';
import { LossCurve } from './loss_curve.js';

/** The panel of the training. */
export function TrainingPanel() {
  const { trainer } = useApp();
  const isIdle = trainer.state.value === 'idle';
  return (
    <section class="training" aria-label="Training">
      {isIdle ? <TrainButton /> : <Progress />}
      {trainer.epochs.value.length > 1 && (
        <LossCurve epochs={trainer.epochs.value} isRunning={!isIdle} />
      )}
      <Advanced />
    </section>
  );
}

function TrainButton() {
  const { predictor, project, trainer } = useApp();
  const populated = project.classes.value.filter(({ samples, heldOut }) => samples > heldOut);
  const isReady = project.state.value === 'open' && populated.length > 1;
  return (
    <>
      <button
        type="button"
        class="button is-primary is-large"
        disabled={!isReady}
        onClick={() => void trainer.train()}
      >
        Train
      </button>
      {!isReady && <p class="quiet">Two classes with samples are needed.</p>}
      {isReady && trainer.history.value === undefined && !predictor.hasDetector.value && (
        <p class="quiet">Better, and able to say “none of these”.</p>
      )}
    </>
  );
}

function Progress() {
  const { trainer } = useApp();
  const last = trainer.epochs.value.at(-1);
  const isPaused = trainer.state.value === 'paused';
  const isMeasuring = last !== undefined && last.epoch >= last.epochs;
  return (
    <div class="progress">
      <p>
        {last === undefined && 'Preparing'}
        {isMeasuring && 'Measuring the accuracy'}
        {last !== undefined && !isMeasuring && `Epoch ${last.epoch} of ${last.epochs}`}
        {isPaused && ', paused'}
      </p>
      <progress aria-label="Training" value={last?.epoch ?? 0} max={last?.epochs ?? 1} />
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={() => void (isPaused ? trainer.resume() : trainer.pause())}
        >
          <Icon name={isPaused ? 'play' : 'pause'} /> {isPaused ? 'Continue' : 'Pause'}
        </button>
        <button type="button" class="button" onClick={() => void trainer.stop()}>
          <Icon name="stop" /> Stop
        </button>
      </div>
    </div>
  );
}

/** The options that most users leave alone. */
function Advanced() {
  const { trainer } = useApp();
  const set = (name: keyof TrainingOptions, text: string) => {
    const value = text === '' ? undefined : Number(text);
    trainer.options.value = { ...trainer.options.value, [name]: value };
  };
  return (
    <details class="advanced">
      <summary>Advanced</summary>
      <label>
        Epochs
        <input
          type="number"
          min={1}
          step={1}
          placeholder="automatic"
          onInput={({ currentTarget }) => set('epochs', currentTarget.value)}
        />
      </label>
      <label>
        Learning rate
        <input
          type="number"
          min={0}
          step="any"
          placeholder="automatic"
          onInput={({ currentTarget }) => set('learningRate', currentTarget.value)}
        />
      </label>
    </details>
  );
}

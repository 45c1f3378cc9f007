/** The training: its button, its progress with the loss curve, and its options. */

import { useSignal } from '@preact/signals';
import type { TrainingOptions } from 'sartor';
import { useApp } from '../app.js';
import { Icon } from './icons.js';
import { LossCurve } from './loss_curve.js';

/** The panel of the training. On a phone, its bar stays at the bottom of the screen. */
export function TrainingPanel() {
  const { trainer } = useApp();
  const isIdle = trainer.state.value === 'idle';
  return (
    <section class="training" aria-label="Training">
      <div class="training-bar">{isIdle ? <TrainButton /> : <Progress />}</div>
      <Losses isIdle={isIdle} />
      <Advanced />
    </section>
  );
}

function TrainButton() {
  const { predictor, project, trainer } = useApp();
  const populated = project.classes.value.filter(({ samples, heldOut }) => samples > heldOut);
  const isReady = project.state.value === 'open' && populated.length > 1;
  const isNew = trainer.result.value === undefined && !predictor.hasDetector.value;
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
      {isReady && isNew && <p class="quiet">Better, and able to say “none of these”.</p>}
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
      <progress aria-label="Training" value={last?.epoch ?? 0} max={last?.epochs ?? 1} />
      <p>
        {last === undefined && 'Preparing'}
        {isMeasuring && 'Measuring the accuracy'}
        {last !== undefined && !isMeasuring && `Epoch ${last.epoch} of ${last.epochs}`}
        {isPaused && ', paused'}
      </p>
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
  );
}

/** The loss curve of the running training, or of the last one. */
function Losses({ isIdle }: { readonly isIdle: boolean }) {
  const { trainer } = useApp();
  const { epochs, result } = trainer;
  const losses = isIdle ? (result.value?.losses ?? []) : epochs.value.map(({ loss }) => loss);
  const planned = isIdle ? losses.length : (epochs.value.at(-1)?.epochs ?? 0);
  return losses.length > 1 ? <LossCurve losses={losses} epochs={planned} /> : null;
}

/** The options that most users leave alone. */
function Advanced() {
  return (
    <details class="advanced">
      <summary>Advanced</summary>
      <NumberOption name="epochs" label="Epochs" rule="Give a whole number, 1 or more." step={1} />
      <NumberOption
        name="learningRate"
        label="Learning rate"
        rule="Give a number above 0."
        step="any"
      />
    </details>
  );
}

interface NumberOptionProps {
  readonly name: keyof TrainingOptions;
  readonly label: string;
  /** Sentence about the numbers that are valid. */
  readonly rule: string;
  readonly step: number | 'any';
}

/** An option; an empty or invalid input leaves it automatic. */
function NumberOption({ name, label, rule, step }: NumberOptionProps) {
  const { trainer } = useApp();
  const isInvalid = useSignal(false);
  const set = (input: HTMLInputElement) => {
    const value = input.value === '' ? undefined : Number(input.value);
    const isValid = input.validity.valid && value !== 0;
    isInvalid.value = !isValid;
    trainer.options.value = { ...trainer.options.value, [name]: isValid ? value : undefined };
  };
  return (
    <>
      <label>
        {label}
        <input
          type="number"
          min={step === 'any' ? 0 : 1}
          step={step}
          placeholder="automatic"
          aria-invalid={isInvalid.value}
          onInput={({ currentTarget }) => set(currentTarget)}
        />
      </label>
      {isInvalid.value && (
        <p class="warning" role="alert">
          {rule} Until then, it is automatic.
        </p>
      )}
    </>
  );
}

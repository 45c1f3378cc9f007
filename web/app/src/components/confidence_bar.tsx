/** The live probability of a class. */

import { useApp } from '../app.js';

interface ConfidenceBarProps {
  readonly name: string;
  /** Whether the model cannot predict the class yet. */
  readonly isEmpty: boolean;
}

/** A bar, and the probability in percent. It is gray for an input that resembles no class. */
export function ConfidenceBar({ name, isEmpty }: ConfidenceBarProps) {
  const predictions = useApp().predictor.predictions.value;
  const prediction = predictions?.ranking.find(({ label }) => label === name);
  const probability = isEmpty ? 0 : (prediction?.probability ?? 0);
  const percent = Math.round(probability * 100);
  const isOther = predictions?.inDistribution === false;
  return (
    <div class={`confidence ${isOther ? 'is-other' : ''}`}>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers style <meter> in different ways */}
      <div
        class="bar"
        role="meter"
        aria-label={`Confidence of ${name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <div class="bar-fill" style={{ transform: `scaleX(${probability})` }} />
      </div>
      <span class="percent">{isEmpty ? '–' : `${percent}%`}</span>
    </div>
  );
}

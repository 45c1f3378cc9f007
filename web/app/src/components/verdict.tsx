/** The most probable class in large letters. */

import { useApp } from '../app.js';

/** The result for the present frame. */
export function Verdict() {
  const { predictor, project } = useApp();
  const predictions = predictor.predictions.value;
  const hasClasses = project.classes.value.some(({ index }) => index !== undefined);
  if (!hasClasses || predictions === undefined || predictions.ranking.length === 0) {
    const isEmpty = !hasClasses && project.state.value === 'open';
    return <p class="verdict is-hint">{isEmpty ? 'Hold a button to record a class' : '\u00a0'}</p>;
  }
  const { best } = predictions;
  return (
    <p class="verdict">
      {best === undefined ? (
        <span class="verdict-label">None of these</span>
      ) : (
        <>
          <span class="verdict-label">{best.label}</span>
          <span class="verdict-number">{Math.round(best.probability * 100)}%</span>
        </>
      )}
    </p>
  );
}

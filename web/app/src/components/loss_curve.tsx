/** The loss of the epochs as a line. */

import type { Epoch } from 'sartor';

const WIDTH = 300;
const HEIGHT = 80;

interface LossCurveProps {
  readonly epochs: readonly Epoch[];
  /** Whether more epochs will follow, for which the curve leaves space. */
  readonly isRunning: boolean;
}

/** The curve; its text states the first and the last value. */
export function LossCurve({ epochs, isRunning }: LossCurveProps) {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (first === undefined || last === undefined) {
    return null;
  }
  const span = Math.max(1, (isRunning ? last.epochs : last.epoch) - 1);
  const highest = Math.max(...epochs.map(({ loss }) => loss), 1e-9);
  const points = epochs.map(({ epoch, loss }) => {
    const x = ((epoch - 1) / span) * WIDTH;
    return `${x.toFixed(1)},${((1 - loss / highest) * HEIGHT).toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  const end = points.at(-1)?.split(',')[0];
  return (
    <figure class="curve">
      <svg
        viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Loss curve: from ${first.loss.toFixed(3)} to ${last.loss.toFixed(3)}`}
      >
        <path class="curve-area" d={`${line}L${end},${HEIGHT}L0,${HEIGHT}Z`} />
        <path class="curve-line" d={line} />
      </svg>
      <figcaption>
        <span>Loss {first.loss.toFixed(2)}</span>
        <span>{last.loss.toFixed(3)}</span>
      </figcaption>
    </figure>
  );
}

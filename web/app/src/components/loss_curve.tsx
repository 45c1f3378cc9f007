/** The loss of the epochs as a line. */

const WIDTH = 300;
const HEIGHT = 80;

interface LossCurveProps {
  /** Loss of each epoch. */
  readonly losses: readonly number[];
  /** Number of epochs, among them those that will follow. */
  readonly epochs: number;
}

/** The curve; its text states the first and the last value. */
export function LossCurve({ losses, epochs }: LossCurveProps) {
  const [first, last] = [losses[0], losses.at(-1)];
  if (first === undefined || last === undefined) {
    return null;
  }
  const span = Math.max(1, epochs - 1);
  const highest = losses.reduce((a, b) => Math.max(a, b), 1e-9);
  const points = losses.map((loss, i) => {
    const x = (i / span) * WIDTH;
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
        aria-label={`Loss curve: from ${first.toFixed(3)} to ${last.toFixed(3)}`}
      >
        <path class="curve-area" d={`${line}L${end},${HEIGHT}L0,${HEIGHT}Z`} />
        <path class="curve-line" d={line} />
      </svg>
      <figcaption>
        <span>Loss {first.toFixed(2)}</span>
        <span>{last.toFixed(3)}</span>
      </figcaption>
      <p class="quiet">It stays above 0, because the training smooths the labels.</p>
    </figure>
  );
}

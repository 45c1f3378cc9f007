/** The results of a training: the expected accuracy, and the confusion matrix of test samples. */

import type { Evaluation } from 'sartor';
import { useApp } from '../app.js';
import type { TrainingResult } from '../saved_results.js';

/** The results, after a training or with test samples. */
export function Results() {
  const { trainer } = useApp();
  const result = trainer.result.value;
  const evaluation = trainer.evaluation.value;
  const isIdle = trainer.state.value === 'idle';
  if (!isIdle || (result === undefined && evaluation === undefined)) {
    return null;
  }
  return (
    <section class="results" aria-label="Results">
      {result !== undefined && <ExpectedAccuracy result={result} />}
      {evaluation !== undefined ? (
        <TestResults evaluation={evaluation} />
      ) : (
        <p class="quiet">
          For a confusion matrix, record some <strong>test samples</strong>, in another place or
          light.
        </p>
      )}
    </section>
  );
}

function ExpectedAccuracy({ result }: { readonly result: TrainingResult }) {
  const { expectedAccuracy, warnings, samples } = result;
  return (
    <>
      {expectedAccuracy !== undefined && (
        <div class="figure">
          <p class="number">{percent(expectedAccuracy)}</p>
          <p>
            expected accuracy on new images, measured on samples that were held out of the training.
            Near-identical frames count once.
          </p>
        </div>
      )}
      <p class="quiet">Trained on {samples} samples.</p>
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {sentence(warning)}
        </p>
      ))}
    </>
  );
}

function TestResults({ evaluation }: { readonly evaluation: Evaluation }) {
  const { accuracy, samples, labels, confusion } = evaluation;
  return (
    <>
      <div class="figure">
        <p class="number">{accuracy === undefined ? '–' : percent(accuracy)}</p>
        <p>
          of {samples} test {samples === 1 ? 'sample is' : 'samples are'} recognized. They never
          train.
        </p>
      </div>
      <div class="table-scroll">
        <table class="confusion">
          <caption>Rows: the true class. Columns: the prediction.</caption>
          <thead>
            <tr>
              <td />
              {labels.map((label) => (
                <th key={label} scope="col" title={label}>
                  <span>{label}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {confusion.map((row, i) => (
              <tr key={labels[i]}>
                <th scope="row" title={labels[i]}>
                  {labels[i]}
                </th>
                {row.map((count, j) => (
                  <Cell key={labels[j]} count={count} row={row} isRight={i === j} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface CellProps {
  readonly count: number;
  readonly row: readonly number[];
  /** Whether the prediction is right. */
  readonly isRight: boolean;
}

function Cell({ count, row, isRight }: CellProps) {
  const total = row.reduce((sum, each) => sum + each, 0);
  const share = total === 0 ? 0 : count / total;
  return (
    <td class={isRight ? 'is-right' : ''} style={{ '--share': `${Math.round(share * 60)}%` }}>
      {count || ''}
    </td>
  );
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)}%`;
}

/** Return a warning of the library as a sentence. */
function sentence(warning: string): string {
  return `${warning.charAt(0).toUpperCase()}${warning.slice(1)}.`;
}

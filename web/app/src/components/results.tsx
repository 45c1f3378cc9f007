/** The results of a training: the expected accuracy, and the confusion matrix of test samples. */

import type { Evaluation, History } from 'sartor';
import { useApp } from '../app.js';

/** The results, after a training or with test samples. */
export function Results() {
  const { trainer } = useApp();
  const history = trainer.history.value;
  const evaluation = trainer.evaluation.value;
  const isIdle = trainer.state.value === 'idle';
  if (!isIdle || (history === undefined && evaluation === undefined)) {
    return null;
  }
  return (
    <section class="results" aria-label="Results">
      {history !== undefined && <ExpectedAccuracy history={history} />}
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

function ExpectedAccuracy({ history }: { readonly history: History }) {
  const { expectedAccuracy, warnings, samples } = history;
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
          {warning}
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

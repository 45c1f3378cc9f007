/** Results of a model: predictions, training history and evaluation. */

/** The prediction of one class. */
export interface Prediction {
  /** Name of the class. */
  readonly label: string;
  /** 0…1; in a classification, the probabilities of all classes sum to 1. */
  readonly probability: number;
}

/** The predictions for one input. */
export interface Predictions {
  /** The classes, by falling probability; empty if the model has no class. */
  readonly ranking: readonly Prediction[];
  /**
   * False if the input is out-of-distribution ("none of these"); undefined if the model has no OOD
   * detector, because it was not trained or has too few samples.
   */
  readonly inDistribution: boolean | undefined;
  /**
   * The most probable class; undefined if there is none or the input is out-of-distribution.
   */
  readonly best: Prediction | undefined;
}

/**
 * Return predictions, sorted by falling probability.
 *
 * @param outputs - class name → output, in the order of the class indices.
 * @param inDistribution - see `Predictions`.
 */
export function predictionsOf(
  outputs: ReadonlyMap<string, number>,
  inDistribution?: boolean,
): Predictions {
  const ranking = [...outputs]
    .map(([label, probability]) => ({ label, probability }))
    .sort((a, b) => b.probability - a.probability);
  return { ranking, inDistribution, best: inDistribution === false ? undefined : ranking[0] };
}

/** The metrics of one epoch, as the callback of a training receives them. */
export interface Epoch {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Number of epochs planned. */
  readonly epochs: number;
  /** Mean loss over the training samples, each measured before its step. */
  readonly loss: number;
  /**
   * Accuracy on the training samples, each measured before its step, 0…1; undefined for a
   * regression.
   */
  readonly accuracy: number | undefined;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  /** Loss on held-out samples; undefined without early stopping. */
  readonly heldOutLoss: number | undefined;
}

/** The history of one training. */
export interface History {
  /** Metrics of each complete epoch. */
  readonly epochs: readonly Epoch[];
  /** Number of training steps, including those of an incomplete epoch. */
  readonly steps: number;
  /** Number of training samples. */
  readonly samples: number;
  /** Whether the training was stopped before the last epoch. */
  readonly stopped: boolean;
  /**
   * Accuracy on held-out samples by cross-validation, 0…1: an estimate for new samples. Undefined
   * if it is unknown; `warnings` says why.
   */
  readonly expectedAccuracy?: number | undefined;
  /**
   * Expected calibration error on held-out samples by cross-validation, 0…1. Undefined if it is
   * unknown.
   */
  readonly calibrationError?: number | undefined;
  /** What was trained: `head`, or `layers` for the tuned layers too. */
  readonly depth: 'head' | 'layers';
  /** What the training may have damaged, and what could not be measured. */
  readonly warnings: readonly string[];
}

/** The metrics of a model on labelled samples. */
export interface Evaluation {
  /** Fraction of correct predictions, 0…1; undefined for a regression. */
  readonly accuracy: number | undefined;
  /** Mean loss over the samples. */
  readonly loss: number;
  /** Number of samples. */
  readonly samples: number;
  /** Class names, in the order of `confusion`. */
  readonly labels: readonly string[];
  /**
   * Class name → fraction of correct predictions among the samples of the class (recall); for
   * several labels per sample, the accuracy of that label. Undefined for a class without samples.
   */
  readonly perClass: ReadonlyMap<string, number | undefined>;
  /**
   * Confusion matrix: rows are true classes, columns are predictions. Empty unless the task is
   * classification.
   */
  readonly confusion: readonly (readonly number[])[];
  /** Expected calibration error, 0…1; undefined unless the task is classification. */
  readonly calibrationError?: number | undefined;
  /**
   * Name → mean absolute error, undefined without samples; empty unless the task is regression.
   */
  readonly absoluteError: ReadonlyMap<string, number | undefined>;
  /** Class name → number of samples of the class; for regression, with a value of it. */
  readonly support: ReadonlyMap<string, number>;
}

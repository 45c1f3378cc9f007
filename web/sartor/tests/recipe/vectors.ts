/** The vectors of `contract/recipe/`: inputs and outputs of each rule of docs/recipe.md. */

/** A value of a vector: a number, text, list or record. */
export type Value =
  | number
  | string
  | boolean
  | null
  | readonly Value[]
  | { readonly [name: string]: Value };

/** One case of a rule. */
export interface Case {
  readonly about: string;
  readonly inputs: unknown;
  readonly outputs: Value;
}

/** The cases of a rule. */
export interface Rule {
  readonly rule: string;
  /** Largest difference of the outputs; see `difference`. */
  readonly tolerance: number;
  readonly cases: readonly Case[];
}

/** The rules that need a model, which `models.ts` plays in a browser. */
export const MODEL_RULES = [
  'imprint',
  'start',
  'first_stage',
  'search_rate',
  'fit',
  'fit_layers',
  'continue',
] as const;

/** A rule that needs a model. */
export type ModelRule = (typeof MODEL_RULES)[number];

/** Return whether a rule needs a model. */
export function needsModel(rule: string): rule is ModelRule {
  return (MODEL_RULES as readonly string[]).includes(rule);
}

/** A vector file. */
export interface VectorFile {
  readonly rules: readonly Rule[];
}

/** Return a result as JSON has it: matrices and typed arrays as lists, undefined as null. */
export function toValue(result: unknown): Value {
  if (result === undefined || result === null || Number.isNaN(result)) {
    return null;
  }
  if (ArrayBuffer.isView(result)) {
    return Array.from(result as Float32Array);
  }
  if (Array.isArray(result)) {
    return result.map(toValue);
  }
  if (typeof result === 'object') {
    const entries = Object.entries(result).map(([name, value]) => [name, toValue(value)]);
    return Object.fromEntries(entries);
  }
  return result as Value;
}

/**
 * Return the largest difference between values: absolute if the expected value is below 1, relative
 * otherwise.
 *
 * Numbers are compared in row-major order: a nested list equals its flat form.
 *
 * @throws Error if texts, booleans, names or lengths differ, or a value is not a number.
 */
export function difference(value: Value, expected: Value, name = 'outputs'): number {
  if (Array.isArray(expected)) {
    return listDifference(value, expected, name);
  }
  if (typeof expected === 'object' && expected !== null) {
    return recordDifference(value, expected as Readonly<Record<string, Value>>, name);
  }
  if (typeof expected !== 'number') {
    check(value === expected, name, value, expected);
    return 0;
  }
  check(typeof value === 'number' && !Number.isNaN(value), name, value, expected);
  return Math.abs((value as number) - expected) / Math.max(1, Math.abs(expected));
}

function listDifference(value: Value, expected: readonly Value[], name: string): number {
  check(Array.isArray(value), name, value, expected);
  const [values, others] = [value as readonly Value[], expected].map(flat) as [Value[], Value[]];
  check(values.length === others.length, `${name}.length`, values.length, others.length);
  const differences = values.map((each, i) =>
    difference(each, others[i] as Value, `${name}[${i}]`),
  );
  return Math.max(0, ...differences);
}

function recordDifference(
  value: Value,
  expected: Readonly<Record<string, Value>>,
  name: string,
): number {
  check(typeof value === 'object' && value !== null, name, value, expected);
  const record = value as Readonly<Record<string, Value>>;
  const names = [record, expected].map((each) => Object.keys(each).sort().join(', '));
  check(names[0] === names[1], `the names in ${name}`, names[0] as string, names[1] as string);
  const differences = Object.entries(expected).map(([key, each]) => {
    return difference(record[key] as Value, each, `${name}.${key}`);
  });
  return Math.max(0, ...differences);
}

/** Return nested lists of numbers as one list; other lists stay. */
function flat(list: readonly Value[]): Value[] {
  const values = list.flat(Number.POSITIVE_INFINITY as 1) as Value[];
  return values.every((each) => typeof each === 'number') ? values : [...list];
}

function check(condition: boolean, name: string, value: Value, expected: Value): void {
  if (!condition) {
    const texts = [value, expected].map((each) => JSON.stringify(each)?.slice(0, 200));
    throw new Error(`${name}: got ${texts[0]}, expected ${texts[1]}`);
  }
}

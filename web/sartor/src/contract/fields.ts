/** A reader of JSON objects that checks each field. */

type ErrorType = new (message: string) => Error;

/** The fields of a JSON object. */
export class Fields {
  /**
   * @param values - name → value.
   * @param where - name of the object, for errors.
   * @param error - error to throw if a field is missing or has a wrong type.
   */
  constructor(
    readonly values: Readonly<Record<string, unknown>>,
    readonly where: string,
    readonly error: ErrorType,
  ) {}

  /** Read a JSON object; throws `error` if the text is not one. */
  static parse(text: string, where: string, error: ErrorType): Fields {
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (cause) {
      throw new error(`${where} is damaged: ${(cause as Error).message}`);
    }
    if (!isObject(values)) {
      throw new error(`${where} is damaged: expected an object, got ${JSON.stringify(values)}`);
    }
    return new Fields(values, where, error);
  }

  /** Return a string. */
  string(name: string): string {
    return this.#check(name, isString, 'a string');
  }

  /** Return a string, or null if it is missing or null. */
  optionalString(name: string): string | null {
    return this.#isMissing(name) ? null : this.string(name);
  }

  /** Return a string of a list. */
  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const isOne = (value: unknown): value is T => values.includes(value as T);
    return this.#check(name, isOne, `one of ${values.join(', ')}`);
  }

  /** Return an integer of at least `minimum`. */
  integer(name: string, minimum = Number.MIN_SAFE_INTEGER): number {
    const isValid = (value: unknown): value is number => isInteger(value) && value >= minimum;
    const bound = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of ${minimum} or more`;
    return this.#check(name, isValid, `an integer${bound}`);
  }

  /** Return an integer, or null if it is missing or null. */
  optionalInteger(name: string, minimum?: number): number | null {
    return this.#isMissing(name) ? null : this.integer(name, minimum);
  }

  /** Return a finite number. */
  number(name: string): number {
    return this.#check(name, isNumber, 'a finite number');
  }

  /** Return a finite number, or null if it is missing or null. */
  optionalNumber(name: string): number | null {
    return this.#isMissing(name) ? null : this.number(name);
  }

  /** Return a boolean. */
  boolean(name: string): boolean {
    return this.#check(name, (value) => typeof value === 'boolean', 'true or false');
  }

  /** Return a list of finite numbers. */
  numbers(name: string): readonly number[] {
    return this.#check(name, listOf(isNumber), 'a list of finite numbers');
  }

  /** Return a list of positive integers. */
  shape(name: string): readonly number[] {
    const isSize = (value: unknown): value is number =>
      isInteger(value) && value > 0 && value < 2 ** 31;
    return this.#check(name, listOf(isSize), 'a list of positive sizes');
  }

  /** Return a list of strings. */
  strings(name: string): readonly string[] {
    return this.#check(name, listOf(isString), 'a list of strings');
  }

  /** Return a list of strings and nulls. */
  names(name: string): readonly (string | null)[] {
    const isName = (value: unknown): value is string | null => value === null || isString(value);
    return this.#check(name, listOf(isName), 'a list of strings and nulls');
  }

  /** Return an object. */
  object(name: string): Fields {
    const values = this.#check(name, isObject, 'an object');
    return new Fields(values, `${this.where}: ${name}`, this.error);
  }

  /** Return a list of objects. */
  objects(name: string): Fields[] {
    const list = this.#check(name, listOf(isObject), 'a list of objects');
    return list.map((values) => new Fields(values, `${this.where}: ${name}`, this.error));
  }

  #isMissing(name: string): boolean {
    return (this.values[name] ?? null) === null;
  }

  #check<T>(name: string, isValid: (value: unknown) => value is T, expected: string): T {
    const value = this.values[name];
    if (!isValid(value)) {
      const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
      throw new this.error(`${this.where}: ${name} must be ${expected}, got ${got}`);
    }
    return value;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string' && !/\p{Cs}/u.test(value);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function listOf<T>(isValid: (value: unknown) => value is T) {
  return (value: unknown): value is T[] => Array.isArray(value) && value.every(isValid);
}

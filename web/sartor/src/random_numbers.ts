/** The random numbers of trainings and augmentations: the same in every language. */

const INCREMENT = 0x9e3779b9; // 2³² divided by the golden ratio

/**
 * SplitMix (Steele, Lea and Flood, 2014) with 32 bits.
 *
 * Number k = 1, 2, … of a seed is `mix(seed + k · 0x9E3779B9)`, modulo 2³², where `mix` is the
 * finalizer of MurmurHash3 (Appleby, 2011).
 */
export class RandomNumbers {
  #state: number;

  /** @param seed - start of the sequence, an integer. Only its lowest 32 bits are used. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Return the next numbers, uniform in 0…2³² − 1. */
  draw(count: number): Uint32Array {
    return Uint32Array.from({ length: count }, () => this.#next());
  }

  /** Return 0…count − 1 in random order: sorted by the next `count` numbers. */
  permutation(count: number): Uint32Array {
    const keys = this.draw(count); // no two are equal
    const order = Uint32Array.from(keys, (_, i) => i);
    return order.sort((a, b) => (keys[a] as number) - (keys[b] as number));
  }

  #next(): number {
    this.#state = (this.#state + INCREMENT) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }
}

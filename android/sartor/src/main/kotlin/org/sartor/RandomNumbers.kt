package org.sartor

private const val INCREMENT = -0x61c88647 // 0x9E3779B9: 2³² divided by the golden ratio
private const val MASK = 0xffffffffL

/**
 * SplitMix (Steele, Lea and Flood, 2014) with 32 bits.
 *
 * Number k = 1, 2, … of a seed is `mix(seed + k · 0x9E3779B9)`, modulo 2³², where `mix` is the
 * finalizer of MurmurHash3 (Appleby, 2011).
 *
 * @param seed start of the sequence. Only its lowest 32 bits are used.
 */
internal class RandomNumbers(seed: Long) {
    private var state = seed.toInt()

    /** Return the next numbers, uniform in 0…2³² − 1. */
    fun draw(count: Int): LongArray = LongArray(count) { next().toLong() and MASK }

    /** Return 0…count − 1 in random order: sorted by the next [count] numbers. */
    fun permutation(count: Int): IntArray {
        // No two numbers are equal; each is sorted together with its place.
        val keys = LongArray(count) { (next().toLong() and MASK shl 31) or it.toLong() }
        keys.sort()
        return IntArray(count) { (keys[it] and Int.MAX_VALUE.toLong()).toInt() }
    }

    private fun next(): Int {
        state += INCREMENT
        var z = state
        z = (z xor (z ushr 16)) * -0x7a143595 // 0x85EBCA6B
        z = (z xor (z ushr 13)) * -0x3d4d51cb // 0xC2B2AE35
        return z xor (z ushr 16)
    }
}

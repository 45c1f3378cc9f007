package org.sartor

/**
 * The label of a sample.
 *
 * | task | label |
 * |---|---|
 * | classification | name of the class |
 * | multi_label | names of all labels that apply |
 * | multi_label | name → whether it applies; other targets are missing |
 * | regression | name → value; other targets are missing |
 */
public sealed class Label {
    /** Name of the class of a sample, or of its only label. */
    internal class Name(val name: String?) : Label()

    /** Names of all labels that apply. */
    internal class Names(val names: List<String?>) : Label()

    /** Name → whether a label applies, or the value of a target. */
    internal class Targets(val targets: Map<*, *>) : Label()

    public companion object {
        /**
         * Return the label of a sample of one class.
         *
         * @param name name of the class: one line of printable characters.
         */
        @JvmStatic
        public fun of(name: String): Label = Name(name)

        /**
         * Return the label of a sample with several labels.
         *
         * @param names names of all labels that apply; there may be none.
         */
        @JvmStatic
        public fun of(names: Collection<String>): Label = Names(names.toList())

        /**
         * Return a label with some targets; others are missing.
         *
         * @param targets name → `true` or `false` for several labels, or a finite number for a
         *   regression.
         */
        @JvmStatic
        public fun of(targets: Map<String, *>): Label = Targets(targets.toMap())
    }
}

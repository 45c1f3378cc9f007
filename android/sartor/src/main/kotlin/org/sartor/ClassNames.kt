package org.sartor

import org.sartor.store.newKey

/**
 * The name and the key of each class index.
 *
 * A key identifies a class through renamings. A store is written at once, a checkpoint only when it
 * is saved; so the store decides which class of an older checkpoint was renamed or removed.
 *
 * @param names class name of each class index; null for a free one.
 * @param keys key of each class index; null too for a class whose key is in no store yet. Default:
 *   the names.
 */
internal class ClassNames(names: List<String?>, keys: List<String?>? = null) {
    private val allNames = names.toMutableList()
    private val allKeys = (keys ?: names).toMutableList()

    /** Class name of each class index; null for a free one. */
    val names: List<String?> get() = allNames

    /** Class name → class index, in the order of the indices. */
    val indices: Map<String, Int>
        get() = LinkedHashMap<String, Int>().also { indices ->
            allNames.forEachIndexed { index, name -> if (name != null) indices[name] = index }
        }

    /** Number of free class indices. */
    val free: Int get() = allNames.count { it == null }

    /** Class name → key, of the classes that have one. */
    val keysByName: Map<String, String>
        get() = LinkedHashMap<String, String>().also { keys ->
            allNames.forEachIndexed { index, name ->
                val key = allKeys[index]
                if (name != null && key != null) keys[name] = key
            }
        }

    /** Return the key of each class index; a class without one gets it. */
    fun completeKeys(): List<String?> {
        allNames.forEachIndexed { index, name ->
            if (name != null && allKeys[index] == null) allKeys[index] = newKey()
        }
        return allKeys.toList()
    }

    /** Give the first free class index to a new class. */
    fun add(name: String) {
        val index = allNames.indexOf(null)
        allNames[index] = name
        allKeys[index] = null
    }

    /** Free the index of a class, and return it. */
    fun remove(name: String): Int {
        val index = allNames.indexOf(name)
        allNames[index] = null
        allKeys[index] = null
        return index
    }

    /** Rename a class. */
    fun rename(old: String, name: String) {
        allNames[allNames.indexOf(old)] = name
    }

    /**
     * Return the names and keys after the changes of a store.
     *
     * @param stored class key → name, or null for a removed class.
     */
    fun following(stored: Map<String, String?>): ClassNames {
        val keys =
            stored.entries.filter { it.value != null }.associate { (key, name) -> name to key }
        val result = ClassNames(allNames, allKeys)
        allNames.forEachIndexed { index, name ->
            if (name == null) return@forEachIndexed
            val key = allKeys[index]
            val other = keys[name]
            if (key != null && key in stored) {
                result.allNames[index] = stored[key]
            } else if (other != null) {
                result.allKeys[index] = other // the same class, from another device
                if (other in allKeys) result.allNames[index] = null // another class took the name
            }
            if (result.allNames[index] == null) result.allKeys[index] = null
        }
        return result
    }
}

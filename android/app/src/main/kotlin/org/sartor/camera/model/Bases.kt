package org.sartor.camera.model

import android.content.Context
import org.sartor.PersonalModel
import org.sartor.StorageError
import org.sartor.camera.R
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.security.DigestInputStream
import java.security.MessageDigest

/** The model files of the app: the starter base in its assets, and those that the user has opened. */
class Bases(private val context: Context) {
    private val folder = File(context.filesDir, "bases").apply { mkdirs() }
    private val samples = File(context.filesDir, "samples")
    private val preferences = context.getSharedPreferences("bases", Context.MODE_PRIVATE)

    /** The base that came with the app. An update of the app brings a new one. */
    val starter: Base by lazy {
        val file = File(folder, STARTER)
        val updated = context.packageManager.getPackageInfo(context.packageName, 0).lastUpdateTime
        if (!file.isFile || file.lastModified() < updated) {
            context.assets.open(STARTER).use { content -> copy(content) { file } }
        }
        Base(Base.STARTER, "starter", file, samplesOf(Base.STARTER))
    }

    /** The bases that the user has opened, the last one first. */
    val opened: List<Base> get() = folder.listFiles(File::isDirectory).orEmpty()
        .mapNotNull { it.listFiles().orEmpty().firstOrNull() }
        .sortedByDescending { it.lastModified() }
        .map(::own)

    /** The base that was used last; the starter base unless the user has opened another one. */
    val chosen: Base get() = find(preferences.getString(CHOICE, null))

    /** Return a base by its key; the starter base if there is no other one. */
    fun find(key: String?): Base = opened.find { it.key == key } ?: starter

    /** Use a base from now on. */
    fun choose(base: Base) = preferences.edit().putString(CHOICE, base.key).apply()

    /** Key of the base to which samples are moving; null if none are. It outlives the process. */
    var moveTarget: String?
        get() = preferences.getString(MOVE, null)
        set(value) {
            if (!preferences.edit().putString(MOVE, value).commit()) {
                throw StorageError(context.getString(R.string.storage_full))
            }
        }

    /** Return all bases that the user has opened; then samples that have lost the file of their base. */
    fun list(): List<OpenedBase> {
        val present = opened
        val shown = present.map { OpenedBase(it.key, it.name, it.file.lastModified(), sizeOf(it.file) + sizeOf(it.samples)) }
        val keys = present.map { it.key }.toSet() + Base.STARTER
        val lost = samples.listFiles(File::isDirectory).orEmpty()
            .filter { it.name !in keys }
            .map { OpenedBase(it.name, null, it.lastModified(), sizeOf(it)) }
        return shown + lost.filter { it.bytes > 0 }.sortedByDescending { it.time }
    }

    /** Return the key of the base with the content of a file. */
    fun keyOf(file: File): String {
        val digest = newDigest()
        file.forEachBlock { bytes, size -> digest.update(bytes, 0, size) }
        return keyOf(digest)
    }

    /** Return whether the app has the file or samples of a base. */
    fun isKnown(key: String): Boolean = opened.any { it.key == key } || samplesOf(key).exists()

    /** Copy a file that the user opens; files of other content stay. */
    @Throws(IOException::class)
    fun add(name: String, content: InputStream): Base {
        val digest = newDigest()
        return own(copy(DigestInputStream(content, digest)) { placeOf(name, keyOf(digest)) })
    }

    /** Delete a base that the user has opened, with its samples; the starter base stays. */
    fun remove(key: String) {
        if (key != Base.STARTER) {
            PersonalModel.deleteStorage(samplesOf(key))
            File(folder, key).deleteRecursively()
        }
    }

    /** Return the folder with the samples of a base. */
    fun samplesOf(key: String): File = File(samples, key)

    private fun own(file: File): Base {
        val key = file.absoluteFile.parentFile!!.name
        return Base(key, file.nameWithoutExtension, file, samplesOf(key))
    }

    private fun newDigest() = MessageDigest.getInstance("SHA-256")

    private fun keyOf(digest: MessageDigest) =
        "own-" + digest.digest().take(KEY_BYTES).joinToString("") { "%02x".format(it) }

    private fun sizeOf(file: File) = file.walk().filter(File::isFile).sumOf(File::length)

    /** Return the file for a content; its name is one that every file system takes. */
    private fun placeOf(name: String, key: String): File {
        val parent = File(folder, key).apply { mkdirs() }
        val stem = name.substringBeforeLast('.').replace(NO_NAME, "_").take(LONGEST).trim()
        return parent.listFiles().orEmpty().firstOrNull() ?: File(parent, "${stem.ifEmpty { "model" }}.tflite")
    }

    /** Copy a file, whose place is known at its end, completely or not at all. */
    private fun copy(content: InputStream, place: () -> File): File {
        val part = File(folder, "part")
        try {
            part.outputStream().use { content.copyTo(it) }
            val file = place()
            if (!part.renameTo(file)) {
                throw IOException("cannot rename $part")
            }
            return file
        } finally {
            part.delete()
        }
    }

    private companion object {
        const val STARTER = "starter.tflite"
        const val CHOICE = "choice"
        const val MOVE = "move"
        const val KEY_BYTES = 8
        const val LONGEST = 60 // characters: 255 bytes are allowed
        val NO_NAME = Regex("[/\\p{C}\\p{Zl}\\p{Zp}]")
    }
}

/** A model file, and the folder of its samples. `key` is one that no other base has. */
class Base(val key: String, val name: String, val file: File, val samples: File) {
    /** Whether it came with the app. */
    val isStarter: Boolean get() = key == STARTER

    companion object {
        /** Key of the base that came with the app. */
        const val STARTER: String = "starter"
    }
}

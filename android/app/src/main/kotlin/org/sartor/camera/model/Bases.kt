package org.sartor.camera.model

import android.content.Context
import org.sartor.PersonalModel
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.CRC32
import java.util.zip.CheckedInputStream

/** The model files of the app: the starter base in its assets, and those that the user has opened. */
class Bases(private val context: Context) {
    private val folder = File(context.filesDir, "bases").apply { mkdirs() }
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

    /** Return the base with the content of a file; null if the user has not opened it. */
    fun findContent(file: File): Base? {
        val checksum = CRC32()
        file.forEachBlock { bytes, size -> checksum.update(bytes, 0, size) }
        return opened.find { it.key == keyOf(checksum.value) }
    }

    /** Copy a file that the user opens; files of other content stay. */
    @Throws(IOException::class)
    fun add(name: String, content: InputStream): Base {
        val checked = CheckedInputStream(content, CRC32())
        return own(copy(checked) { placeOf(name, checked.checksum.value) })
    }

    /** Delete a base that the user has opened, with its samples. */
    fun remove(base: Base) {
        PersonalModel.deleteStorage(base.samples)
        base.file.absoluteFile.parentFile?.deleteRecursively()
    }

    private fun own(file: File): Base {
        val key = file.absoluteFile.parentFile!!.name
        return Base(key, file.nameWithoutExtension, file, samplesOf(key))
    }

    private fun keyOf(checksum: Long) = "own-%08x".format(checksum)

    private fun samplesOf(key: String) = File(context.filesDir, "samples/$key")

    /** Return the file for a content; its name is one that every file system takes. */
    private fun placeOf(name: String, checksum: Long): File {
        val parent = File(folder, keyOf(checksum)).apply { mkdirs() }
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

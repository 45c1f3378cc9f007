package org.sartor.camera.model

import android.content.Context
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.CRC32
import java.util.zip.CheckedInputStream

/** The model files of the app: the starter base in its assets, and one of the user's own. */
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
        Base("starter", file, samplesOf("starter"), isStarter = true)
    }

    /** The base that was used last; the starter base unless the user has opened another one. */
    fun chosen(): Base {
        val file = preferences.getString(PATH, null)?.let { File(folder, it) }
        return if (file?.isFile == true) own(file) else starter
    }

    /** Use a base from now on. */
    fun choose(base: Base) {
        val path = base.file.relativeTo(folder).path
        preferences.edit().putString(PATH, path.takeUnless { base.isStarter }).apply()
        // The samples of other bases stay; their files do not, so that the app does not grow with each one.
        val present = setOf(STARTER, File(path).parent)
        folder.listFiles().orEmpty().filter { it.name !in present }.forEach { it.deleteRecursively() }
    }

    /** Copy a file of the user's own; files of other content stay. */
    @Throws(IOException::class)
    fun add(name: String, content: InputStream): Base {
        val checked = CheckedInputStream(content, CRC32())
        return own(copy(checked) { placeOf(name, checked.checksum.value) })
    }

    private fun own(file: File): Base =
        Base(file.nameWithoutExtension, file, samplesOf(file.absoluteFile.parentFile!!.name), isStarter = false)

    private fun samplesOf(name: String) = File(context.filesDir, "samples/$name")

    /** Return the file for a content; its name is one that every file system takes. */
    private fun placeOf(name: String, checksum: Long): File {
        val parent = File(folder, "own-%08x".format(checksum)).apply { mkdirs() }
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
        const val PATH = "path"
        const val LONGEST = 60 // characters: 255 bytes are allowed
        val NO_NAME = Regex("[/\\p{C}\\p{Zl}\\p{Zp}]")
    }
}

/** A model file, and the folder of its samples. */
class Base(val name: String, val file: File, val samples: File, val isStarter: Boolean)

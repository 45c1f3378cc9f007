package org.sartor.camera.model

import android.content.Context
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.CRC32

/** The model files of the app: the starter base in its assets, and one of the user's own. */
class Bases(private val context: Context) {
    private val folder = File(context.filesDir, "bases").apply { mkdirs() }
    private val preferences = context.getSharedPreferences("bases", Context.MODE_PRIVATE)

    /** The base that came with the app. */
    val starter: Base = Base("starter", null, samplesOf("starter"))

    /** The base that was used last; the starter base unless the user has opened another one. */
    fun chosen(): Base {
        val file = preferences.getString(NAME, null)?.let { File(folder, it) }
        return if (file?.isFile == true) baseOf(file) else starter
    }

    /** Use a base from now on. */
    fun choose(base: Base) {
        preferences.edit().putString(NAME, base.file?.name).apply()
        // The samples of other bases stay; their files do not, so that the app does not grow with each one.
        folder.listFiles().orEmpty().filter { it != base.file }.forEach { it.delete() }
    }

    /** Copy a file of the user's own. */
    @Throws(IOException::class)
    fun add(name: String, content: InputStream): Base {
        val file = File(folder, File(name).name)
        val part = File(folder, "${file.name}.part")
        part.outputStream().use { content.copyTo(it) }
        if (!part.renameTo(file)) {
            throw IOException("cannot rename $part")
        }
        return baseOf(file)
    }

    private fun baseOf(file: File): Base {
        val checksum = CRC32().apply { update(file.readBytes()) }.value
        return Base(file.nameWithoutExtension, file, samplesOf("own-%08x".format(checksum)))
    }

    private fun samplesOf(name: String) = File(context.filesDir, "samples/$name")

    companion object {
        /** Path of the starter base among the assets. */
        const val STARTER: String = "starter.tflite"

        private const val NAME = "name"
    }
}

/** A model file. */
class Base(
    val name: String,
    /** The file; null for the starter base, which is an asset. */
    val file: File?,
    /** The folder of its samples. */
    val samples: File,
)

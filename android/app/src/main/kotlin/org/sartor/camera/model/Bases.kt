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

    /** The base that came with the app. An update of the app brings a new one. */
    val starter: Base by lazy {
        val file = File(folder, STARTER)
        val updated = context.packageManager.getPackageInfo(context.packageName, 0).lastUpdateTime
        if (!file.isFile || file.lastModified() < updated) {
            context.assets.open(STARTER).use { copy(it, file) }
        }
        Base("starter", file, samplesOf("starter"), isStarter = true)
    }

    /** The base that was used last; the starter base unless the user has opened another one. */
    fun chosen(): Base {
        val file = preferences.getString(NAME, null)?.let { File(folder, it) }
        return if (file?.isFile == true) own(file) else starter
    }

    /** Use a base from now on. */
    fun choose(base: Base) {
        preferences.edit().putString(NAME, base.file.name.takeUnless { base.isStarter }).apply()
        // The samples of other bases stay; their files do not, so that the app does not grow with each one.
        folder.listFiles().orEmpty().filter { it != base.file && it.name != STARTER }.forEach { it.delete() }
    }

    /** Copy a file of the user's own. */
    @Throws(IOException::class)
    fun add(name: String, content: InputStream): Base {
        val file = File(folder, "own-${File(name).name}")
        copy(content, file)
        return own(file)
    }

    private fun own(file: File): Base {
        val checksum = CRC32().apply { update(file.readBytes()) }.value
        val name = file.nameWithoutExtension.removePrefix("own-")
        return Base(name, file, samplesOf("own-%08x".format(checksum)), isStarter = false)
    }

    private fun samplesOf(name: String) = File(context.filesDir, "samples/$name")

    private fun copy(content: InputStream, file: File) {
        val part = File(folder, "${file.name}.part")
        part.outputStream().use { content.copyTo(it) }
        if (!part.renameTo(file)) {
            throw IOException("cannot rename $part")
        }
    }

    private companion object {
        const val STARTER = "starter.tflite"
        const val NAME = "name"
    }
}

/** A model file, and the folder of its samples. */
class Base(val name: String, val file: File, val samples: File, val isStarter: Boolean)

package org.sartor.camera

import java.io.File

/** A base that the app does not have. */
object OtherBase {
    /** A model with another head and four classes, which `sartor convert` writes. */
    val file: File by lazy {
        val file = File.createTempFile("cosine", ".tflite").apply { deleteOnExit() }
        val command = "sartor convert starter --classes 4 --head cosine --quiet --force -o ${file.path}"
        val process = ProcessBuilder(command.split(" ")).redirectErrorStream(true)
        process.environment().remove("LD_LIBRARY_PATH") // that of Android
        val running = process.start()
        val text = running.inputStream.bufferedReader().readText()
        check(running.waitFor() == 0) { text }
        file
    }
}

/** Open a model: check the file, load the runtime, the samples and the checkpoint. */

package org.sartor

import android.os.Process
import java.io.File
import java.nio.ByteBuffer
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import org.sartor.litert.ModelFile
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.checkModelFile
import org.sartor.results.Evaluator
import org.sartor.saved.Checkpoint
import org.sartor.saved.Projects
import org.sartor.saved.Saver
import org.sartor.store.FolderLock
import org.sartor.store.Limits
import org.sartor.store.SampleStore
import org.sartor.store.removeLeftovers
import org.sartor.training.TrainingJobs

private const val SAMPLES_FILE = "samples"

// Of trainings: from 10 on, Android may move a thread to the background group, which it slows.
private const val NICENESS = 5

/**
 * The parts of an open model.
 *
 * @property file The model file.
 * @property state Weights, classes and detector.
 * @property samples The samples.
 * @property folder The folder, or null for memory.
 * @param options options of the model.
 * @param folderLock lock of the folder.
 */
internal class ModelParts private constructor(
    val file: ModelFile,
    val state: ModelState,
    val samples: SampleCollection,
    private val options: ModelOptions,
    private val folderLock: FolderLock?,
) : AutoCloseable {
    private val manifest = file.manifest

    /** Held while samples are read or changed, and while the checkpoint is written. */
    val lock: ReentrantLock = samples.store.lock

    /** Saves the checkpoint. */
    val saver: Saver = Saver(options.folder, state, lock, manifest)

    /** Decodes inputs, and runs the model on them. */
    val inputs: Inputs = Inputs(manifest, options, state, samples, lock)

    /** Trainings. */
    val jobs: TrainingJobs = TrainingJobs(ModelTraining(manifest, samples, state, saver), lock) {
        Process.setThreadPriority(NICENESS) // a live preview stays smooth
    }

    /** Export and import. */
    val projects: Projects = Projects(file, state, samples, options.folder ?: temporaryFolder())

    /** Messages about saved parts that do not fit the model, or are damaged. */
    val notes: List<String> = loadSaved()

    /** Read the samples or change the classes while no other thread does. */
    fun <T> locked(work: () -> T): T = lock.withLock {
        samples.followStore()
        work()
    }

    /** Stop a running training, change the model while no other thread does, and save soon. */
    fun <T> changing(work: () -> T): T = jobs.exclusive {
        samples.followStore()
        work().also { saver.schedule() }
    }

    /** Replace the state by a checkpoint, and save it; see [PersonalModel.loadCheckpoint]. */
    fun load(name: String, read: () -> Checkpoint): List<String> = jobs.exclusive {
        val before = state.checkpoint()
        val notes = state.load(read(), name)
        try {
            samples.imprintStoredClasses()
            saver.save()
        } catch (error: RuntimeException) {
            state.load(before, "the former state")
            throw error
        }
        notes
    }

    /** Return the features and the targets of an input and its label. */
    fun embed(input: Input, label: Label): LabelledFeatures = inputs.embed(input, label)

    /** Evaluate the model on samples. */
    fun evaluate(labelled: Sequence<LabelledFeatures>): Evaluation {
        val evaluator = Evaluator(state.engine, manifest, state.classIndices)
        for (sample in labelled) {
            samples.checkClasses(sample.targets.keys)
            evaluator.add(sample.features, sample.targets)
        }
        return evaluator.result()
    }

    /** Release memory and files. */
    override fun close() {
        saver.close()
        jobs.close()
        state.close()
        samples.store.close()
        folderLock?.close()
    }

    /** Load the saved checkpoint, and return messages about parts that were not loaded. */
    private fun loadSaved(): List<String> = try {
        val checkpoint = saver.read()
        val notes = checkpoint?.let { state.load(it, "the saved checkpoint") }.orEmpty()
        if (checkpoint != null) samples.imprintStoredClasses()
        notes
    } catch (error: SartorError) {
        saver.setAside()
        listOf(
            "${error.message} The classes follow from the stored samples instead: train again, " +
                "or load another checkpoint.",
        )
    }

    companion object {
        /** Open a model; see [PersonalModel.open]. */
        fun open(content: ByteBuffer, name: String, options: ModelOptions): ModelParts {
            noteSlowCall()
            val file = checkModelFile(content, name)
            val resources = ArrayList<AutoCloseable>() // to close if a later step fails
            try {
                val folderLock = options.folder?.let(::FolderLock)?.also(resources::add)
                options.folder?.let(::removeLeftovers)
                val engine =
                    RuntimeEngine(file, options.runtime, options.threads).also(resources::add)
                val state = ModelState(engine, file.manifest)
                val store = openStore(file, options).also(resources::add)
                val samples = SampleCollection(store, state, file.manifest)
                return ModelParts(file, state, samples, options, folderLock)
            } catch (error: RuntimeException) {
                resources.asReversed().forEach(AutoCloseable::close)
                throw error
            }
        }

        private fun openStore(file: ModelFile, options: ModelOptions): SampleStore {
            val path = options.folder?.let { File(it, SAMPLES_FILE) }
            val limits = Limits(options.maxSamples, options.maxBytes)
            return SampleStore(path, path?.path ?: "the store in memory", file.manifest, limits)
        }
    }
}

/** The folder for temporary files of a model in memory: that of the app, on Android. */
private fun temporaryFolder() = File(System.getProperty("java.io.tmpdir") ?: ".")

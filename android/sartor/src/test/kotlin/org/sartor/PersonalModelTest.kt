package org.sartor

import java.io.File
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.store.SampleStore

/** The verbs of docs/library.md, on small models that take numbers. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class PersonalModelTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val options get() = ModelOptions(File(folder.root, "model"))
    private val models = ArrayList<PersonalModel>()

    private fun open(file: File =
        smallModel(), options: ModelOptions = ModelOptions()): PersonalModel =
        PersonalModel.open(file, options).also(models::add)

    @After
    fun closesTheModels() {
        models.forEach(PersonalModel::close)
    }

    private fun values(index: Int, number: Int): Input {
        val random = java.util.Random(100L * index + number)
        val values = FloatArray(4) { (if (it == index) 2f else 0f) + 0.2f * random.nextFloat() }
        return Input.ofValues(values)
    }

    private fun PersonalModel.addAll(count: Int = 8, labels: List<String> = listOf("a", "b", "c")) {
        labels.forEachIndexed { index, label ->
            repeat(count) { addSample(values(index, it), label, SampleOptions(heldOut = it == 0)) }
        }
    }

    @Test
    fun predictsAClassAfterItsFirstSample() {
        val model = open()
        assertNull(model.predict(values(0, 0)).best)
        model.addSample(values(0, 0), "a")
        model.addSample(values(1, 0), "b")
        val predictions = model.predict(values(1, 1))
        assertEquals("b", predictions.best?.label)
        assertEquals(1f, predictions.ranking.map { it.probability }.sum(), 1e-5f)
        assertNull(predictions.inDistribution)
    }

    @Test
    fun trainsAndDetectsAnInputThatResemblesNoClass() {
        val model = open()
        model.addAll()
        val losses = ArrayList<Double>()
        val listener = object : TrainingListener {
            override fun onEpoch(epoch: Epoch) {
                losses += epoch.loss
            }
        }
        val history = model.fit(listener = listener).await()
        assertEquals(history.epochs.map { it.loss }, losses)
        assertTrue("${losses.first()} ${losses.last()}", losses.last() < losses.first())
        assertEquals(1.0, history.expectedAccuracy!!, 0.1)
        assertEquals(true, model.predict(values(2, 1)).inDistribution)
        val other = model.predict(Input.ofValues(floatArrayOf(-9f, -9f, -9f, 9f)))
        assertEquals(false to null, other.inDistribution to other.best)
        assertEquals(listOf(true, true, true), model.classes().map { it.isTrained })
        assertEquals(3, model.evaluate().samples)
    }

    @Test
    fun predictsWhileItTrainsPausesAndStops() {
        val model = open()
        model.addAll()
        val begun = CountDownLatch(3)
        val listener = object : TrainingListener {
            override fun onEpoch(epoch: Epoch) = begun.countDown()
        }
        val job = model.fit(TrainingOptions(epochs = 1_000_000), listener)
        assertTrue(begun.await(60, TimeUnit.SECONDS))
        assertNotNull(model.predict(values(0, 1)).best)
        val error = errorOf<TrainingError> { model.fit() }
        assertTrue(error.message!!, "a training is running" in error.message!!)
        model.addSample(values(3, 0), "new")
        assertEquals("new", model.predict(values(3, 1)).best?.label)
        job.pause()
        assertTrue(job.isPaused)
        job.stop()
        assertTrue(job.await().stopped)
        assertFalse(job.isRunning)
        assertEquals("new", model.predict(values(3, 1)).best?.label)
    }

    @Test
    fun continuesWhereItWas() {
        val (expected, samples) = open(options = options).use { model ->
            model.addAll()
            model.addClass("empty")
            model.setAppData("page", "täxt")
            model.fit(TrainingOptions(epochs = 20)).await()
            model.predictValues(values(1, 1)) to model.samples().map { it.toString() }
        }
        open(options = options).use { model ->
            assertEquals(emptyList<String>(), model.notes)
            assertEquals(expected, model.predictValues(values(1, 1)))
            assertEquals(samples, model.samples().map { it.toString() })
            assertEquals(listOf("a", "b", "c", "empty"), model.classes().map { it.name })
            assertEquals(mapOf("page" to "täxt"), model.appData())
            assertEquals(2L, model.find(values(0, 1))?.id)
            val error = errorOf<StoreError> { PersonalModel.open(smallModel(), options) }
            assertTrue(error.message!!, "open already" in error.message!!)
        }
    }

    @Test
    fun aSampleSurvivesAKilledProcess() {
        val copy = File(folder.root, "copy")
        open(options = options).use { model ->
            model.addAll(2)
            // what the process leaves if it is killed
            File(folder.root, "model").copyRecursively(copy)
        }
        open(options = ModelOptions(copy)).use { model ->
            assertEquals(6, model.samples().size)
            assertEquals("b", model.predict(values(1, 5)).best?.label)
        }
    }

    @Test
    fun aDamagedCheckpointGivesANoteAndTheSamplesStay() {
        open(options = options).use { it.addAll() }
        val checkpoint =
            File(folder.root, "model").listFiles()!!.single { it.extension == "safetensors" }
        val content = checkpoint.readBytes()
        content[content.size - 20] = (content[content.size - 20] + 1).toByte()
        checkpoint.writeBytes(content)
        open(options = options).use { model ->
            assertTrue("${model.notes}", "is damaged" in model.notes.single())
            assertEquals(24, model.samples().size)
            assertEquals("c", model.predict(values(2, 5)).best?.label)
        }
        assertTrue(File(checkpoint.path + ".not-loaded").isFile)
    }

    @Test
    fun aClassThatAnotherProgramRenamesStaysTheSame() {
        val model = open(options = options)
        model.addAll(2)
        val file = File(folder.root, "model/samples")
        SampleStore(file, file.path, model.manifest).use { it.rename("a", "A") }
        model.addSample(values(0, 7), "A")
        model.addSample(values(3, 7), "d")
        assertEquals(listOf("A: 3", "b: 2", "c: 2", "d: 1"), model.classes().map { "${it.name}: ${it.samples}" })
        assertEquals("A", model.predict(values(0, 8)).best?.label)
        SampleStore(file, file.path, model.manifest).use { it.rename("d", "D") } // its key is known too
        assertEquals(listOf("A", "b", "c", "D"), model.classes().map { it.name })
    }

    @Test
    fun classesAreRenamedAndRemoved() {
        val model = open()
        model.addAll()
        model.renameClass("a", "A")
        model.removeClass("b")
        assertEquals(listOf("A", "c"), model.classes().map { it.name })
        assertEquals(16, model.samples().size)
        model.addClass("d")
        model.renameClass("d", "e")
        model.addSample(values(3, 0), "e")
        assertEquals(listOf("A", "e", "c"), model.classes().map { it.name })
        assertEquals("e", model.predict(values(3, 1)).best?.label)
        val wrong = mapOf<String, () -> Unit>(
            "has no class 'b'" to { model.removeClass("b") },
            "has a class 'c' already" to { model.renameClass("A", "c") },
            "has a class 'A' already" to { model.addClass("A") },
            "must be the name of a class" to { model.addClass(" ") },
            "one line of printable characters" to { model.renameClass("A", "x\ny") },
        )
        for ((words, call) in wrong) {
            val error = errorOf<DataError> { call() }
            assertTrue(error.message!!, words in error.message!!)
        }
        model.addSample(values(1, 0), "f")
        val error = errorOf<DataError> { model.addSample(values(1, 1), "g") }
        assertTrue(error.message!!, "Convert the base again with --classes 5" in error.message!!)
        assertEquals(18, model.samples().size)
    }

    @Test
    fun samplesAreStoredOnceAndForgotten() {
        val model = open()
        val first = model.addSample(values(0, 0), "a")
        assertEquals(first, model.addSample(values(0, 0), "a"))
        val error = errorOf<DataError> { model.addSample(values(0, 0), "b") }
        val words = "with another label (a 1.0): forget it first"
        assertTrue(error.message!!, words in error.message!!)
        val named = model.addSample(values(0, 0), "a", SampleOptions(source = "asset 7"))
        assertEquals(named, model.find(values(3, 3), "asset 7")?.id)
        model.addSample(values(1, 0), "b")
        errorOf<DataError> { model.forget(first, 99) }
        model.forget(first, named)
        assertEquals(listOf("b"), model.classes().map { it.name })
        assertEquals(1, model.samples().size)
    }

    @Test
    fun anInferenceIsSavedByTheFeaturesOfAPrediction() {
        val model = open()
        val features = model.predict(values(0, 0)).features
        model.addSample(values(0, 0), "a", SampleOptions(features = features))
        model.addSample(values(1, 0), "b")
        assertEquals("a", model.predict(values(0, 1)).best?.label)
        val wrong = SampleOptions(features = listOf(FloatArray(3)))
        errorOf<DataError> { model.addSample(values(0, 2), "a", wrong) }
        val error =
            errorOf<DataError> { model.addSample(values(0, 2), "a", SampleOptions(augment = 1)) }
        assertTrue(error.message!!, "only images can be augmented" in error.message!!)
    }

    @Test
    fun inputsThatDoNotFitAreRefused() {
        val model = open()
        val wrong = mapOf(
            "got float[], 3 values" to Input.ofValues(FloatArray(3)),
            "got int[], 4 values" to Input.ofValues(IntArray(4)),
            "got an image" to Input.of(ByteArray(10)),
            "not finite" to Input.ofValues(FloatArray(4) { Float.NaN }),
            "the inputs of the model are input; got x" to Input.ofNames(mapOf("x" to values(0, 0))),
        )
        for ((words, input) in wrong) {
            val error = errorOf<DataError> { model.predict(input) }
            assertTrue(error.message!!, words in error.message!!)
        }
        errorOf<DataError> { model.evaluate() }
        errorOf<DataError> { model.thumbnails(limit = -1) }
        errorOf<DataError> { model.fit() }
    }

    @Test
    fun labelsCanBeSeveralOrNumbers() {
        val several = open(smallModel("several_labels"))
        several.addSample(values(0, 0), Label.of(listOf("class 0", "class 1")))
        several.addSample(values(1, 0), Label.of(mapOf("class 2" to true)))
        assertEquals(mapOf("class 2" to 1.0), several.samples().last().targets)
        assertEquals(3, several.predict(values(0, 1)).ranking.size)
        several.fit(TrainingOptions(epochs = 3)).await()
        val numbers = open(File(ROOT, "contract/cases/squared_error.tflite"))
        repeat(8) { number ->
            val input = Input.ofValues(FloatArray(48) { it % 7 * 0.1f * number })
            numbers.addSample(input, Label.of(mapOf("size" to number)))
        }
        val history = numbers.fit(TrainingOptions(epochs = 30)).await()
        assertTrue(history.epochs.last().loss < history.epochs.first().loss)
        errorOf<DataError> { numbers.predict(Input.ofValues(FloatArray(48))) }
        val evaluation = numbers.evaluate()
        assertNull(evaluation.accuracy)
        assertNotNull(evaluation.absoluteError.getValue("size"))
    }

    @Test
    fun basesHaveSeveralInputsFeaturesAndStates() {
        val inputs = open(File(ROOT, "contract/cases/two_inputs.tflite"))
        fun named(number: Int) = Input.ofNames(
            mapOf(
                "image" to Input.ofValues(FloatArray(9) { it * 0.1f * number }),
                "words" to Input.ofValues(IntArray(3) { (it + number) % 3 }),
            ),
        )
        inputs.addSample(named(1), "a")
        assertEquals("a", inputs.predict(named(1)).best?.label)
        val features = open(File(ROOT, "contract/cases/two_features.tflite"))
        repeat(3) { number ->
            val values = FloatArray(32) { (it + number) * 0.1f }
            features.addSample(Input.ofValues(values), "x$number")
        }
        features.fit(TrainingOptions(epochs = 3)).await()
        val ofZeros = features.predict(Input.ofValues(FloatArray(32))).features
        assertEquals(listOf(32, 12), ofZeros.map { it.size })
        val recurrent = open(File(ROOT, "contract/cases/recurrent.tflite"))
        val sequence = Input.ofValues(FloatArray(15) { it * 0.1f })
        recurrent.addSample(sequence, "a")
        val (first, second) = List(2) { recurrent.predict(sequence).features[0].toList() }
        assertEquals(first, second)
    }

    @Test
    fun callsAfterTheEndAreRefused() {
        val model = open(options = options)
        model.addAll(2)
        model.close()
        model.close()
        errorOf<SartorError> { model.predict(values(0, 0)) }
        errorOf<SartorError> { model.addSample(values(0, 9), "a") }
        PersonalModel.deleteStorage(options.folder!!)
        assertFalse(options.folder!!.exists())
    }
}

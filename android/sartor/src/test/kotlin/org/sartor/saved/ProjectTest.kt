package org.sartor.saved

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.DataError
import org.sartor.Input
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.ROOT
import org.sartor.SartorError
import org.sartor.TrainingOptions
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.errorOf
import org.sartor.python
import org.sartor.smallModel
import org.sartor.trainedModel

private const val PROBE = """
import json, sys
import numpy as np
from sartor.runtime import PersonalModel
probe = np.array([[0.5, 1, 1.5, 2]], np.float32)
def outputs(model):
    predictions = model.predict(probe)
    return [model.predict_values(probe), predictions.in_distribution]
"""

/** Checkpoints, projects and baked files go to Python and back with the same predictions. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class ProjectTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val probe = Input.ofValues(floatArrayOf(0.5f, 1f, 1.5f, 2f))
    private val file = smallModel()

    private fun path(name: String) = File(folder.root, name)

    private fun outputs(model: PersonalModel) =
        model.predictValues(probe) to model.predict(probe).inDistribution

    private fun directionsIn(checkpoint: File): FloatTensor {
        val content = ByteBuffer.wrap(checkpoint.readBytes())
        return readCheckpoint(content, checkpoint.name).ood.getValue(Contract.OOD_DIRECTIONS)
    }

    private fun assertSame(expected: Pair<Map<String, Float>, Boolean?>, json: JSONArray) {
        val values = json.getJSONObject(0)
        assertEquals(expected.first.keys, values.keys().asSequence().toSet())
        for ((name, value) in expected.first) {
            assertEquals(value.toDouble(), values.getDouble(name), 1e-5)
        }
        assertEquals(expected.second, json.opt(1).takeIf { it != JSONObject.NULL })
    }

    @Test
    fun aCheckpointOpensInPythonAndBack() {
        trainedModel().use { model ->
            model.saveCheckpoint(path("own.safetensors"))
            val program = PROBE + """
with PersonalModel(sys.argv[1]) as model:
    assert model.load(sys.argv[2]) == ()
    print(json.dumps(outputs(model)))
    model.save(sys.argv[3])
"""
            val json = python(program, file, path("own.safetensors"), path("back.safetensors"))
            assertSame(outputs(model), JSONArray(json))
            val (own, back) = listOf("own", "back").map { directionsIn(path("$it.safetensors")) }
            assertEquals(listOf(9, 12), own.shape) // 9 of the 15 rows are outside the first fold
            assertEquals(own.shape, back.shape)
            assertArrayEquals(own.data, back.data, 0f)
            val expected = outputs(model)
            model.removeClass("röt")
            PersonalModel.open(file).use { other ->
                assertEquals(emptyList<String>(), other.loadCheckpoint(path("back.safetensors")))
                assertEquals(expected, outputs(other))
            }
        }
    }

    @Test
    fun aProjectGoesToPythonAndBack() {
        trainedModel().use { model ->
            val expected = outputs(model)
            model.exportProject(path("there.sartor"))
            val program = PROBE + """
with PersonalModel(sys.argv[1], store=sys.argv[2] + ".store") as model:
    assert model.import_project(sys.argv[2]) == ()
    samples = [[s.id, s.held_out, s.rows, s.label, s.source] for s in model.samples]
    print(json.dumps([outputs(model), samples]))
    model.rename_class("röt", "rouge")
    model.export_project(sys.argv[3])
"""
            val json = JSONArray(python(program, file, path("there.sartor"), path("back.sartor")))
            assertSame(expected, json.getJSONArray(0))
            val samples = model.samples().map {
                listOf(it.id, it.isHeldOut, it.rows, it.targets.keys.single(), it.source)
            }
            val ofPython = json.getJSONArray(1).toString()
            assertEquals(JSONArray(samples.map(::JSONArray)).toString(), ofPython)
            assertEquals(emptyList<String>(), model.importProject(path("back.sartor")))
            val renamed = expected.first.mapKeys { if (it.key == "röt") "rouge" else it.key }
            assertEquals(renamed, outputs(model).first)
            assertEquals(samples.size, model.samples().size)
            assertEquals(listOf("rouge", "blue", "green"), model.classes().map { it.name })
        }
    }

    @Test
    fun aProjectOfPythonOpensAndStays() {
        val program = PROBE + """
with PersonalModel(sys.argv[1]) as model:
    random = np.random.default_rng(0)
    for i in range(6):
        for label, level in (("hat", -0.5), ("schäl", 0.5)):
            values = random.normal(level, 0.3, (1, 4)).astype(np.float32)
            model.add_sample(values, label, held_out=i == 5)
    model.fit()
    model.export_project(sys.argv[2])
    print(json.dumps(outputs(model)))
"""
        val expected = JSONArray(python(program, file, path("python.sartor")))
        val options = ModelOptions(path("model"))
        PersonalModel.open(file, options).use { model ->
            model.addSample(probe, "former")
            assertEquals(emptyList<String>(), model.importProject(path("python.sartor")))
            assertSame(outputs(model), expected)
            assertNotNull(outputs(model).second)
        }
        PersonalModel.open(file, options).use { model ->
            assertSame(outputs(model), expected)
            val classes =
                model.classes().map { "${it.name} ${it.samples} ${it.heldOut} ${it.isTrained}" }
            assertEquals(listOf("hat 6 1 true", "schäl 6 1 true"), classes)
            assertEquals(2, model.evaluate().samples)
        }
    }

    @Test
    fun aProjectOfAnotherBaseOpensWithItsModel() {
        val other = File(ROOT, "contract/cases/two_features.tflite")
        PersonalModel.open(other).use { model ->
            model.addSample(Input.ofValues(FloatArray(32) { it * 0.1f }), "a")
            model.exportProject(path("other.sartor"))
        }
        trainedModel().use { model ->
            val expected = outputs(model)
            errorOf<SartorError> { model.importProject(path("other.sartor")) }
            assertEquals(expected, outputs(model))
        }
        path("other.sartor").inputStream().use {
            PersonalModel.modelOfProject(it, path("other.tflite"))
        }
        assertArrayEquals(other.readBytes(), path("other.tflite").readBytes())
        PersonalModel.open(path("other.tflite")).use { model ->
            model.importProject(path("other.sartor"))
            assertEquals(listOf("a"), model.classes().map { it.name })
        }
        val damaged = ByteArrayInputStream(path("other.sartor").readBytes().copyOf(500))
        errorOf<DataError> { PersonalModel.modelOfProject(damaged, path("other.tflite")) }
        assertArrayEquals(other.readBytes(), path("other.tflite").readBytes())
    }

    @Test
    fun aBakedFileStartsWithTheClassesInBothLanguages() {
        trainedModel().use { model ->
            val expected = outputs(model).first
            model.bake(path("baked.tflite"))
            PersonalModel.open(path("baked.tflite")).use { baked ->
                assertEquals(expected, baked.predictValues(probe))
                assertEquals(listOf("röt", "blue", "green"), baked.classes().map { it.name })
                assertTrue(baked.classes().all { it.isTrained })
                repeat(2) { number ->
                    baked.addSample(Input.ofValues(FloatArray(4) { -1f - it - number }), "new")
                }
                baked.fit(TrainingOptions(epochs = 3)).await()
            }
            val program = PROBE + """
with PersonalModel(sys.argv[1]) as model:
    print(json.dumps(outputs(model)))
"""
            assertSame(expected to null, JSONArray(python(program, path("baked.tflite"))))
        }
    }

    @Test
    fun aPlainClassifierHasTheOutputsOfTheModel() {
        trainedModel().use { model ->
            model.removeClass("blue")
            model.freeze(path("plain.tflite"))
            val program = """
import json, sys, zipfile
import numpy as np
from sartor.litert import create_interpreter
interpreter = create_interpreter(open(sys.argv[1], "rb").read())
(key, signature), = interpreter.get_signature_list().items()
probe = np.array([[0.5, 1, 1.5, 2]], np.float32)
(output,) = interpreter.get_signature_runner(key)(**{signature["inputs"][0]: probe}).values()
labels = zipfile.ZipFile(sys.argv[1]).read("labels.txt").decode().split("\n")
print(json.dumps([dict(zip(labels, output[0].tolist(), strict=True))]))
"""
            val json = JSONArray(python(program, path("plain.tflite")))
            assertSame(outputs(model).first to null, json)
            model.removeClass("green")
            errorOf<DataError> { model.freeze(ByteArrayOutputStream()) }
        }
    }

    @Test
    fun aCheckpointLoadsIntoALargerModel() {
        val program = """
import sys
import sartor
sartor.convert(sys.argv[1], classes=int(sys.argv[3])).save(sys.argv[2])
"""
        python(program, file, path("larger.tflite"), 9)
        trainedModel().use { model ->
            model.saveCheckpoint(path("own.safetensors"))
            PersonalModel.open(path("larger.tflite")).use { larger ->
                larger.loadCheckpoint(path("own.safetensors"))
                for ((name, value) in outputs(model).first) {
                    assertEquals(value, larger.predictValues(probe).getValue(name), 1e-5f)
                }
            }
        }
    }

    @Test
    fun tensorsOfTheAppAreKept() {
        trainedModel().use { model ->
            val content = ByteArrayOutputStream().also(model::saveCheckpoint).toByteArray()
            val checkpoint = readCheckpoint(ByteBuffer.wrap(content), "own")
            val app = mapOf("app/x" to FloatTensor(listOf(1, 2), floatArrayOf(3f, 4f)))
            val extended = checkpoint.run {
                Checkpoint(
                    classes, classKeys, fingerprints, variables, imprinted, samplesSeen,
                    oodThreshold, ood, app,
                )
            }
            model.loadCheckpoint(ByteArrayInputStream(writeCheckpoint(extended)))
            val saved = ByteArrayOutputStream().also(model::saveCheckpoint).toByteArray()
            val tensor = readCheckpoint(ByteBuffer.wrap(saved), "saved").app.getValue("app/x")
            assertEquals(listOf(1, 2), tensor.shape)
            assertArrayEquals(floatArrayOf(3f, 4f), tensor.data, 0f)
        }
    }
}

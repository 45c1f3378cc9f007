package org.sartor.camera

import android.app.Activity
import android.app.Application
import android.os.Looper
import android.view.View
import android.widget.TextView
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.camera.frames.CameraState
import org.sartor.camera.frames.Frame
import org.sartor.camera.model.Base
import org.sartor.camera.model.ClassState
import org.sartor.camera.model.EvaluationState
import org.sartor.camera.model.Message
import org.sartor.camera.model.OpenedBase
import org.sartor.camera.model.PredictionState
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState
import org.sartor.camera.model.Sheet
import org.sartor.camera.model.Speed
import org.sartor.camera.model.Thumbnail
import org.sartor.camera.model.TrainingResult
import org.sartor.camera.model.TrainingState
import org.sartor.camera.ui.Actions
import org.sartor.camera.ui.Screen
import java.lang.reflect.Proxy

private val LABELS = listOf("hat", "shoes", "dress", "pants")

/** Writes each screen as a PNG, at the sizes of devices, in light and dark. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = Application::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class LooksTest {
    private val actions = Proxy.newProxyInstance(Actions::class.java.classLoader, arrayOf(Actions::class.java)) { _, _, _ -> null } as Actions
    private val thumbnails by lazy { LABELS.associateWith { label -> List(9) { Thumbnail(it.toLong(), Photos.thumbnail(label, it), it < 3) } } }
    private val frame by lazy { Frame(Photos.frame("hat", 3)) }

    private val open = ScreenState(project = ProjectState.Open("starter", Base.STARTER), capacity = 10, camera = CameraState.ON)
    private val empty = open.copy(classes = List(4) { ClassState("Class ${it + 1}", it) })
    private val used by lazy {
        open.copy(
            classes = LABELS.mapIndexed { i, label -> ClassState(label.replaceFirstChar(Char::uppercase), i, 12, 3, thumbnails.getValue(label)) },
            prediction = PredictionState("Hat", mapOf("Hat" to 0.94f, "Shoes" to 0.01f, "Dress" to 0.05f, "Pants" to 0f), true),
            speed = Speed(24, 31),
        )
    }
    private val losses = List(40) { 1.3f * Math.exp(-it / 9.0).toFloat() + 0.12f + 0.03f * ((it * 7) % 5) / 5 }
    private val trained by lazy {
        used.copy(
            training = TrainingState(losses = losses, epochs = 40, result = TrainingResult(0.95f, 36, emptyList())),
            evaluation = EvaluationState(
                0.9167f, 12, used.classes.map { it.name },
                listOf(listOf(3, 0, 0, 0), listOf(0, 3, 0, 0), listOf(0, 0, 2, 1), listOf(0, 0, 0, 3)),
            ),
        )
    }

    private val activity by lazy { Robolectric.buildActivity(Activity::class.java).also { it.get().setTheme(R.style.Sartor) }.setup().get() }

    private val found = ArrayList<String>()

    @After
    fun everyPageIsWhole() = assertEquals("faults of the layout", "", found.joinToString("\n"))

    private fun show(name: String, state: ScreenState, scroll: Int = 0) {
        activity.setContentView(R.layout.main)
        val screen = Screen(activity.findViewById(R.id.screen), actions)
        screen.show(frame)
        screen.render(state, cameras = 2)
        shadowOf(Looper.getMainLooper()).idle()
        activity.findViewById<View>(R.id.scroll).scrollBy(0, scroll)
        (screen.sheet?.findViewById<View>(R.id.sheet)?.parent as? View)?.scrollBy(0, scroll)
        screenshot(name, activity.window.decorView, screen.sheet)
        val faults = layoutFaults(activity.window.decorView) + screen.sheet?.let(::layoutFaults).orEmpty()
        screen.close()
        faults.mapTo(found) { "$name: $it" }
    }

    @Test
    @Config(qualifiers = "w360dp-h640dp-port")
    fun aTrainingShowsItsProgress() {
        fun progress(phase: TrainingState.Phase, epoch: Int): String {
            show("progress", used.copy(training = TrainingState(phase, losses.take(epoch), 40)))
            return activity.findViewById<TextView>(R.id.progress_text).text.toString()
        }
        assertEquals("Preparing", progress(TrainingState.Phase.RUNNING, 0))
        assertEquals("Epoch 3 of 40", progress(TrainingState.Phase.RUNNING, 3))
        assertEquals("Paused at epoch 3 of 40", progress(TrainingState.Phase.PAUSED, 3))
        assertEquals("Continue", activity.findViewById<View>(R.id.pause).contentDescription)
        assertEquals("Measuring the accuracy", progress(TrainingState.Phase.RUNNING, 40))
        assertEquals("None of these", verdict(used.copy(prediction = PredictionState(null, mapOf("Hat" to 0.9f), false))))
        assertEquals("Hat  90%", verdict(used.copy(prediction = PredictionState("Hat", mapOf("Hat" to 0.9f), true))))
    }

    private fun verdict(state: ScreenState): String {
        show("progress", state)
        return activity.findViewById<TextView>(R.id.verdict).text.toString()
    }

    private fun showAll(prefix: String, fontScale: Float = 1f) {
        RuntimeEnvironment.setFontScale(fontScale)
        show("$prefix-empty", empty)
        show("$prefix-used", used.copy(recording = "Hat"))
        show("$prefix-trained", trained, scroll = 9000)
        show("$prefix-training", used.copy(training = TrainingState(TrainingState.Phase.RUNNING, losses.take(16), 40)))
        show("$prefix-denied", empty.copy(camera = CameraState.DENIED))
        show("$prefix-none", used.copy(prediction = PredictionState(null, mapOf("Hat" to 0.4f, "Pants" to 0.6f), false), message = Message("The storage is full. Delete samples or free some space.", true)))
        show("$prefix-class", used.copy(sheet = Sheet.Samples("Hat", thumbnails.getValue("hat"))))
        val opened = listOf(OpenedBase("own-1", "plants", 1_795_903_200_000, 9_000_000), OpenedBase("own-2", "a-model-with-a-long-name-of-its-own", 1_795_800_000_000, 4_100_000), OpenedBase("own-3", null, 1_795_700_000_000, 12_300_000))
        val project = used.copy(sheet = Sheet.Project, project = ProjectState.Open("plants", "own-1"), bases = opened)
        show("$prefix-project", project)
        show("$prefix-bases", project, scroll = 9000)
        show("$prefix-replacement", used.copy(sheet = Sheet.Replacement("my-classes.sartor")))
        show("$prefix-leaving", used.copy(sheet = Sheet.Leaving("own-1", "plants.tflite", "Starter base", 3, 48)))
        show("$prefix-opening", open.copy(project = ProjectState.Opening))
        show("$prefix-failed", empty.copy(project = ProjectState.Failed("plants.tflite is damaged, or changed by another tool: use another copy, or convert the base again.")))
    }

    @Test @Config(qualifiers = "w360dp-h640dp-port-xhdpi") fun smallPhone() = showAll("phone360")

    @Test @Config(qualifiers = "w412dp-h892dp-port-night-xhdpi") fun darkPhone() = showAll("phone412")

    @Test @Config(qualifiers = "w800dp-h360dp-land-xhdpi") fun landscape() = showAll("land")

    @Test @Config(qualifiers = "sw800dp-w1280dp-h800dp-land-mdpi") fun tablet() = showAll("tablet")

    @Test @Config(qualifiers = "sw800dp-w800dp-h1280dp-port-night-mdpi") fun darkTablet() = showAll("tabletport")

    @Test @Config(qualifiers = "w412dp-h892dp-port-xhdpi") fun largeText() = showAll("large", 1.3f)

    @Test @Config(qualifiers = "w360dp-h640dp-port-night-xhdpi") fun largestText() = showAll("largest", 2f)

    @Test @Config(qualifiers = "w800dp-h360dp-land-night-xhdpi") fun largestTextInLandscape() = showAll("largestland", 2f)

    @Test @Config(qualifiers = "sw800dp-w1280dp-h800dp-land-mdpi") fun largestTextOnATablet() = showAll("largesttablet", 2f)
}

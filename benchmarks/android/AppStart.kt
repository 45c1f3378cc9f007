package org.sartor.benchmarks

import android.Manifest
import android.app.Activity
import android.database.sqlite.SQLiteDatabase
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Bundle
import android.os.Looper
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import com.sun.management.OperatingSystemMXBean
import java.io.File
import java.lang.management.ManagementFactory
import java.util.Random
import java.util.concurrent.Executors
import java.util.concurrent.ScheduledExecutorService
import java.util.concurrent.TimeUnit
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.Input
import org.sartor.camera.CameraApplication
import org.sartor.camera.MainActivity
import org.sartor.camera.R
import org.sartor.camera.frames.CameraState
import org.sartor.camera.frames.Frame
import org.sartor.camera.frames.FrameSource
import org.sartor.camera.model.ProjectState

private const val SIDE = 480
private const val CLASSES = 4
private const val FRAMES_PER_SECOND = 30L
private const val STRIPE = 24 // pixels
private val LIMIT = TimeUnit.MINUTES.toNanos(2)

/** The start of the app in a process in which nothing of it was loaded, for `benchmarks/android_start.py`. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
internal class AppStart {
    private val application = RuntimeEnvironment.getApplication() as CameraApplication
    private val data = requireNotNull(application.filesDir.parentFile)
    private val stored = File(FOLDER, "app")
    private val source = Frames()

    @Test
    fun measure() {
        preferHashesOfTheJdk()
        useRobolectric()
        shadowOf(application).grantPermissions(Manifest.permission.CAMERA)
        CameraApplication.frames = { source }
        when (System.getProperty("sartor.task")) {
            "prepare" -> prepare()
            "first" -> start("a class to record") { hasClasses(it) }
            else -> {
                stored.copyRecursively(data, overwrite = true)
                start("the first class") { "%" in it.findViewById<TextView>(R.id.verdict).text }
            }
        }
        source.stop()
        application.onTerminate()
    }

    /** Let the app store its base and the samples, as at its first start. */
    private fun prepare() {
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup(Bundle()).get()
        wait("the model") { hasClasses(activity) }
        application.session.withModel { model ->
            for (number in 0 until SAMPLES) {
                model.addSample(Input.of(image(number)), "Class ${1 + number % CLASSES}")
            }
            model.save()
        }
        wait("the samples") { application.session.state.value.message == null && storedSamples() == SAMPLES }
        application.onTerminate()
        data.copyRecursively(stored, overwrite = true)
    }

    private fun storedSamples(): Int {
        var count = 0
        application.session.withModel { count = it.samples().size }
        Thread.sleep(50)
        return count
    }

    /** Print the times until the preview shows a frame, and until `isReady`. */
    private fun start(what: String, isReady: (MainActivity) -> Boolean) {
        val begin = Moment()
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup(Bundle()).get()
        wait("the first frame") { showsFrame(activity) }
        print("preview", begin)
        wait(what) { isReady(activity) && draw(activity).width > 0 }
        print("ready", begin)
    }

    private fun print(name: String, begin: Moment) {
        val end = Moment()
        println("\nRESULT $name ${(end.time - begin.time) / 1e9} ${(end.cpu - begin.cpu) / 1e9}")
    }

    private fun wait(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + LIMIT
        shadowOf(Looper.getMainLooper()).idle()
        while (!condition()) {
            check(System.nanoTime() < end) { "not reached: $what; ${application.session.state.value}" }
            Thread.sleep(1)
            shadowOf(Looper.getMainLooper()).idle()
        }
    }

    private fun hasClasses(activity: MainActivity) =
        application.session.state.value.project is ProjectState.Open && activity.findViewById<View>(R.id.hold)?.isShown == true

    /** Draw the screen, and return whether a frame of the source is in its preview. */
    private fun showsFrame(activity: MainActivity): Boolean {
        val preview = activity.findViewById<View>(R.id.frame)
        if (source.sent == 0 || !preview.isShown || preview.width == 0) return false
        val place = IntArray(2).also(preview::getLocationInWindow)
        val drawn = draw(activity)
        val y = place[1] + preview.height / 2
        val colors = List(preview.width / 2) { drawn.getPixel(place[0] + preview.width / 4 + it, y) }
        return colors.toSet().size > 8 // the empty preview has one color
    }

    private fun draw(activity: Activity): Bitmap {
        val root = activity.window.decorView
        val screen = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(screen))
        return screen
    }

    /** Load what belongs to Robolectric: SQLite, bitmaps, views and their layout. */
    private fun useRobolectric() {
        SQLiteDatabase.create(null).close()
        val activity = Robolectric.buildActivity(Activity::class.java).setup().get()
        activity.setContentView(ImageView(activity).apply { setImageBitmap(image(0)) })
        shadowOf(Looper.getMainLooper()).idle()
        draw(activity)
        application.getSharedPreferences("benchmark", 0).edit().putString("key", "text").apply()
        application.assets.open("starter.tflite").close()
        application.packageManager.getPackageInfo(application.packageName, 0)
        shadowOf(Looper.getMainLooper()).idle()
    }

    private class Moment {
        val cpu = (ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean).processCpuTime
        val time = System.nanoTime()
    }
}

/** Returns an image of a color of its class, with stripes. */
private fun image(number: Int): Bitmap {
    val random = Random(number.toLong())
    val pixels = IntArray(SIDE * SIDE)
    val shade = 60 * (number % CLASSES)
    val shift = random.nextInt(STRIPE)
    for (at in pixels.indices) {
        val stripe = (at % SIDE + shift) % STRIPE
        pixels[at] = (0xff shl 24) or (shade shl 16) or ((stripe * 10) shl 8) or (number and 0xff)
    }
    return Bitmap.createBitmap(pixels, SIDE, SIDE, Bitmap.Config.ARGB_8888)
}

/** A camera that is on at once, and sends frames. */
private class Frames : FrameSource {
    private val images = List(CLASSES, ::image)
    private var thread: ScheduledExecutorService? = null

    /** Number of frames that it has sent. */
    @Volatile
    var sent = 0
        private set

    override val cameras = 1

    override fun start(listener: FrameSource.Listener) {
        stop()
        listener.onState(CameraState.ON)
        thread = Executors.newSingleThreadScheduledExecutor().apply {
            val send = Runnable { listener.onFrame(Frame(images[sent++ % CLASSES])) }
            scheduleAtFixedRate(send, 0, 1000 / FRAMES_PER_SECOND, TimeUnit.MILLISECONDS)
        }
    }

    override fun switchCamera() = Unit

    override fun setDisplayRotation(degrees: Int) = Unit

    override fun stop() {
        thread?.shutdownNow()
        thread = null
    }
}

package org.sartor.camera

import android.Manifest
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Bundle
import android.os.Looper
import android.os.StrictMode
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.sartor.camera.model.ClassState
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState
import org.sartor.camera.ui.CardGrid

/** The running app, with photos for a camera. */
class AppRule(private val isAllowed: Boolean = true) : ExternalResource() {
    /** The camera. */
    var source = PhotoSource()
    private lateinit var controller: ActivityController<MainActivity>
    private var viewState: ScreenState? = null // the state that the views show
    private val application get() = RuntimeEnvironment.getApplication() as CameraApplication

    val activity: MainActivity get() = controller.get()
    val session get() = application.session
    val state: ScreenState get() = session.state.value

    /** The open sheet. */
    val sheet: View get() {
        settle()
        return requireNotNull(activity.sheet) { "no sheet is open: ${state.sheet}" }
    }

    override fun before() {
        CameraApplication.frames = { source }
        refuseSlowCalls()
        if (isAllowed) {
            shadowOf(application).grantPermissions(Manifest.permission.CAMERA)
        }
    }

    override fun after() {
        controller.pause().stop().destroy()
        application.onTerminate()
        StrictMode.setThreadPolicy(StrictMode.ThreadPolicy.LAX)
    }

    /** Let methods of the library throw in the main thread, which they would block. */
    private fun refuseSlowCalls() = StrictMode.setThreadPolicy(
        StrictMode.ThreadPolicy.Builder().detectCustomSlowCalls().penaltyDeath().build(),
    )

    /** Start the app, and wait until the model is open. */
    fun start(saved: Bundle? = null) {
        launch(saved)
        waitUntil("the model is open") { state.project !is ProjectState.Opening || state.message != null }
        assertTrue("${state.project} ${state.message}", state.project is ProjectState.Open)
    }

    /** Start the app. */
    fun launch(saved: Bundle? = null) {
        controller = Robolectric.buildActivity(MainActivity::class.java)
        controller.setup(saved ?: Bundle())
        watchViews()
    }

    /** Turn the device, or change its size. */
    fun turn(qualifiers: String) {
        RuntimeEnvironment.setQualifiers(qualifiers)
        controller.recreate()
        watchViews()
        settle()
    }

    /** End the process as Android does, change its files, and start the app again. */
    fun killAndStart(change: () -> Unit = {}) {
        val saved = Bundle()
        controller.pause().stop().saveInstanceState(saved).destroy()
        application.onTerminate()
        change()
        start(saved)
    }

    /** Hold the button of a class while photos are in front of the camera. */
    fun record(index: Int, label: String, numbers: Iterable<Int>) {
        val button = card(index).findViewById<View>(R.id.hold)
        touch(button, MotionEvent.ACTION_DOWN)
        assertEquals(state.classes[index].name, state.recording)
        for (number in numbers) {
            val before = state.classes[index].samples
            source.show(Photos.frame(label, number))
            waitUntil("$label $number is a sample") { state.classes[index].samples == before + 1 }
        }
        touch(button, MotionEvent.ACTION_UP)
    }

    /** Hold a photo in front of the camera, and wait for its prediction. */
    fun look(label: String, number: Int) {
        val before = state.prediction
        source.show(Photos.frame(label, number, "validation"))
        waitUntil("$label $number is predicted") { state.prediction.let { it != null && it !== before } }
    }

    /** Return a view that shows the present state. */
    fun view(id: Int, root: View = activity.window.decorView): View {
        settle()
        return root.findViewById(id)
    }

    /** Return the card of a class. */
    fun card(index: Int): View = (view(R.id.cards) as CardGrid).getChildAt(index)

    /** Return the state of a class. */
    fun ofClass(name: String): ClassState? = state.classes.find { it.name == name }

    /** Return whether a view has more than one color in its middle. */
    fun isPainted(view: View): Boolean {
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        val y = view.height / 2
        return (view.width / 4 until view.width * 3 / 4).map { bitmap.getPixel(it, y) }.toSet().size > 8
    }

    /** Press a button of the screen. */
    fun press(id: Int, root: View = activity.window.decorView) {
        val button = view(id, root)
        check(button.isShown && button.isEnabled) { "the button cannot be pressed" }
        button.performClick()
        settle()
    }

    /** Return the text of a view. */
    fun text(id: Int, root: View = activity.window.decorView): String = (view(id, root) as TextView).text.toString()

    /** Wait for the background threads, while the main thread works; then the views show the result. */
    fun waitUntil(what: String, condition: () -> Boolean) {
        await(what, condition)
        settle()
    }

    private fun await(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + LIMIT
        idle()
        while (!condition()) {
            if (System.nanoTime() > end) {
                fail("not reached: $what; message: ${state.message?.text}; project: ${state.project}")
            }
            Thread.sleep(5)
            idle()
        }
    }

    /** Note which state the views show: a background thread changes the state first, and the views later. */
    private fun watchViews() {
        val render = requireNotNull(session.state.listener)
        session.state.listener = {
            render(it)
            viewState = it
        }
    }

    /** Wait until the views show the present state. */
    private fun settle() {
        await("the views show the state") { viewState === state }
        idle() // their layout
    }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun touch(view: View, action: Int) {
        val now = SystemClock.uptimeMillis()
        val event = MotionEvent.obtain(now, now, action, view.width / 2f, view.height / 2f, 0)
        view.dispatchTouchEvent(event)
        event.recycle()
        settle()
    }

    private companion object {
        const val LIMIT = 120_000_000_000L // ns; far above any real time, also on a busy machine
    }
}

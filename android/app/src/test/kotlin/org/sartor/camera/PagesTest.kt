package org.sartor.camera

import android.Manifest
import android.content.Context
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.sartor.StorageError
import org.sartor.camera.frames.Camera2Source
import org.sartor.camera.frames.CameraState
import org.sartor.camera.frames.Frame
import org.sartor.camera.frames.FrameSource

/** What the app shows without a camera, without permission and without space; and what a screen reader says. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w360dp-h640dp-port")
class PagesTest {
    @get:Rule
    val app = AppRule(isAllowed = false)

    @Test
    fun aRefusedPermissionHasAPage() {
        app.start()
        val request = shadowOf(app.activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), request.requestedPermissions.toList())
        shadowOf(app.activity.packageManager).setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, true)
        answer(granted = false)
        assertEquals("The camera is not allowed", app.text(R.id.reason_title))
        assertEquals("Allow the camera", app.text(R.id.reason_action))

        shadowOf(app.activity.packageManager).setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, false)
        answer(granted = false)
        assertEquals("Open the settings", app.text(R.id.reason_action))
        app.press(R.id.reason_action)
        assertEquals("android.settings.APPLICATION_DETAILS_SETTINGS", shadowOf(app.activity).nextStartedActivity.action)

        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        answer(granted = true)
        app.waitUntil("the camera is on") { app.state.camera == CameraState.ON }
        assertFalse(app.view(R.id.reason).isShown)
    }

    @Test
    fun aMissingCameraAndFullStorageHavePages() {
        app.source = PhotoSource(CameraState.MISSING)
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        app.start()
        app.waitUntil("the page") { app.text(R.id.reason_title) == "No camera" }
        app.press(R.id.reason_photo)
        assertEquals("image/*", shadowOf(app.activity).nextStartedActivityForResult.intent.type)

        app.session.report(StorageError("no space is left"))
        app.waitUntil("the page of the storage") { app.text(R.id.reason_title) == "Nothing can be stored" }
        assertEquals("no space is left", app.text(R.id.reason_text))
        app.press(R.id.reason_action)
        app.waitUntil("the other page") { app.text(R.id.reason_title) == "No camera" }

        app.session.withModel { throw OutOfMemoryError() }
        app.waitUntil("a message") { app.state.message?.text == "There is not enough memory for this file." }
    }

    @Test
    fun aScreenReaderCanUseEverything() {
        app.start()
        for (button in descendants(app.view(R.id.screen)).filter { it.isShown && it.isClickable }) {
            val label = button.contentDescription ?: (button as? TextView)?.text ?: descendants(button)
                .filterIsInstance<TextView>().joinToString { it.text }
            val name = RuntimeEnvironment.getApplication().resources.getResourceEntryName(button.id)
            assertTrue("$name has no label", label.isNotBlank())
            assertTrue("$name is ${button.width} x ${button.height} pixels", minOf(button.width, button.height) >= 48)
        }
        assertEquals("Hold to record Class 1", app.card(0).findViewById<View>(R.id.hold).contentDescription)
    }

    @Test
    fun theCameraOfAndroidReportsItsStates() {
        val context = RuntimeEnvironment.getApplication()
        app.start()
        assertEquals(CameraState.MISSING, stateOf(Camera2Source(context)) { it != CameraState.STARTING })
        val characteristics = ShadowCameraCharacteristics.newCameraCharacteristics()
        shadowOf(characteristics).set(CameraCharacteristics.LENS_FACING, CameraMetadata.LENS_FACING_BACK)
        val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
        shadowOf(manager).addCamera("0", characteristics)
        assertEquals(CameraState.ON, stateOf(Camera2Source(context)) { it == CameraState.ON })
    }

    private fun stateOf(camera: Camera2Source, isLast: (CameraState) -> Boolean): CameraState? {
        var last: CameraState? = null
        camera.start(object : FrameSource.Listener {
            override fun onFrame(frame: Frame) {}

            override fun onState(state: CameraState) {
                last = state
            }
        })
        app.waitUntil("the state of the camera") {
            camera.idle()
            last?.let(isLast) == true
        }
        camera.stop()
        return last
    }

    private fun Camera2Source.idle() = shadowOf(looper).idle()

    private fun answer(granted: Boolean) {
        val result = if (granted) 0 else -1
        app.activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(result))
    }

    private fun descendants(view: View): List<View> =
        listOf(view) + if (view is ViewGroup) List(view.childCount) { descendants(view.getChildAt(it)) }.flatten() else emptyList()
}

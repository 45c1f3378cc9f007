package org.sartor.camera

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.View
import org.sartor.camera.files.Documents
import org.sartor.camera.frames.CameraState
import org.sartor.camera.model.Session
import org.sartor.camera.model.Sheet
import org.sartor.camera.ui.Actions
import org.sartor.camera.ui.FileContent
import org.sartor.camera.ui.Screen

/** The only activity. The session does the work; this shows it, and asks Android for what it needs. */
class MainActivity : Activity(), Actions {
    private val session: Session by lazy { (application as CameraApplication).session }
    private val documents by lazy { Documents(this, session) }
    private lateinit var screen: Screen

    /** The window of the open sheet, or null. */
    val sheet: View? get() = screen.sheet

    override fun onCreate(savedState: Bundle?) {
        super.onCreate(savedState)
        setContentView(R.layout.main)
        screen = Screen(findViewById(R.id.screen), this)
        savedState?.let(::restore)
        // Now, and not before: the model would be opened while the preview is created, and delay it.
        session.state.listener = { screen.render(it, session.frames.cameras) }
        session.onFrame = screen::show
    }

    override fun onStart() {
        super.onStart()
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) {
            start()
        } else if (session.state.value.camera == CameraState.OFF) {
            session.onState(CameraState.STARTING)
            requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA)
        }
    }

    override fun onStop() {
        super.onStop()
        if (!isChangingConfigurations && session.state.value.camera !in REFUSED) {
            session.stopCamera()
        }
        session.save()
    }

    override fun onDestroy() {
        // A new activity may have taken over already.
        screen.close()
        super.onDestroy()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        val state = session.state.value
        outState.putBoolean(IS_TEST, state.isTest)
        outState.putString(CLASS, (state.sheet as? Sheet.Samples)?.label)
        outState.putBoolean(PROJECT, state.sheet is Sheet.Project)
        outState.putBundle(DOCUMENTS, documents.save())
    }

    private fun restore(savedState: Bundle) {
        documents.restore(savedState.getBundle(DOCUMENTS))
        if (session.state.value.sheet != null) {
            return // a rotation: the session is the same
        }
        session.setTest(savedState.getBoolean(IS_TEST))
        savedState.getString(CLASS)?.let(session::openClass)
        if (savedState.getBoolean(PROJECT)) {
            session.setSheet(Sheet.Project)
        }
    }

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<String>, results: IntArray) {
        if (results.firstOrNull() == PackageManager.PERMISSION_GRANTED) {
            start()
        } else {
            val canAsk = shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
            session.onState(if (canAsk) CameraState.DENIED else CameraState.BLOCKED)
        }
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        if (resultCode == RESULT_OK && data != null) {
            documents.receive(requestCode, data)
        }
    }

    override fun startCamera() {
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) {
            start()
        } else {
            requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA)
        }
    }

    override fun openSettings() =
        launch(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)))

    override fun switchCamera() = session.frames.switchCamera()

    override fun choosePhotoToPredict() = documents.choosePhotoToPredict()

    override fun clearPhoto() = session.clearPhoto()

    override fun record(label: String, held: Boolean) {
        session.record(label, held)
        if (!held) {
            session.state.value.classes.find { it.name == label }?.let {
                screen.announce(getString(R.string.samples_now, label, it.samples))
            }
        }
    }

    override fun setTest(isTest: Boolean) = session.setTest(isTest)

    override fun addClass() = session.addClass()

    override fun renameClass(label: String, name: String) = session.renameClass(label, name)

    override fun removeClass(label: String) = session.removeClass(label)

    override fun forget(label: String, ids: List<Long>) = session.forget(label, ids)

    override fun choosePhotos(label: String) = documents.choosePhotos(label)

    override fun openClass(label: String) = session.openClass(label)

    override fun openProject() = session.setSheet(Sheet.Project)

    override fun closeSheet() = session.setSheet(null)

    override fun train() = session.train()

    override fun pauseOrResume() = session.pauseOrResume()

    override fun stopTraining() = session.stopTraining()

    override fun evaluate() = session.evaluate()

    override fun save(content: FileContent) = documents.chooseTarget(content)

    override fun shareModel() = documents.shareModel()

    override fun chooseFile() = documents.chooseFile()

    override fun replaceSamples() = session.replaceSamples()

    override fun openBase(key: String) = session.openBase(key)

    override fun leaveSamples(key: String) = session.leaveSamples(key)

    override fun removeBase(key: String) = session.removeBase(key)

    override fun clearProject() = session.clearProject()

    override fun clearStorageError() = session.clearStorageError()

    override fun dismissMessage() = session.dismissMessage()

    /** Start another activity, if there is one that can do it. */
    fun launch(intent: Intent, requestCode: Int? = null) {
        try {
            if (requestCode == null) startActivity(intent) else startActivityForResult(intent, requestCode)
        } catch (_: ActivityNotFoundException) {
            session.tell(getString(R.string.no_app), isError = true)
        }
    }

    private fun start() {
        @Suppress("DEPRECATION") // Context.getDisplay is API 30
        val rotation = windowManager.defaultDisplay.rotation
        session.frames.setDisplayRotation(90 * rotation)
        session.startCamera()
    }

    private companion object {
        const val CAMERA = 1
        const val IS_TEST = "isTest"
        const val CLASS = "class"
        const val PROJECT = "project"
        const val DOCUMENTS = "documents"
        val REFUSED = setOf(CameraState.DENIED, CameraState.BLOCKED)
    }
}

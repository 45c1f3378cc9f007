package org.sartor.camera.files

import android.content.Intent
import android.database.Cursor
import android.net.Uri
import android.os.Bundle
import android.provider.OpenableColumns
import org.sartor.PersonalModel
import org.sartor.StorageError
import org.sartor.camera.MainActivity
import org.sartor.camera.R
import org.sartor.camera.model.Session
import org.sartor.camera.ui.FileContent
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream

/** Files and photos that the user chooses in the storage access framework. */
class Documents(private val activity: MainActivity, private val session: Session) {
    /** The class to which chosen photos are added. */
    private var label: String? = null
    private val resolver = activity.applicationContext.contentResolver

    /** Return what must survive the end of the process while the user chooses. */
    fun save(): Bundle = Bundle().apply { putString("label", label) }

    /** Restore what `save` returned. */
    fun restore(saved: Bundle?) {
        label = saved?.getString("label")
    }

    /** Let the user choose where to save a file. */
    fun chooseTarget(content: FileContent) {
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType(content.mimeType)
            .putExtra(Intent.EXTRA_TITLE, "my-classes.${content.extension}")
        activity.launch(intent, SAVE + content.ordinal)
    }

    /** Let the user choose a project, model or checkpoint. */
    fun chooseFile() = activity.launch(openIntent("*/*"), OPEN)

    /** Let the user choose a photo to predict. */
    fun choosePhotoToPredict() = activity.launch(openIntent("image/*"), PREDICT)

    /** Let the user choose photos of a class. */
    fun choosePhotos(label: String) {
        this.label = label
        activity.launch(openIntent("image/*").putExtra(Intent.EXTRA_ALLOW_MULTIPLE, true), PHOTOS)
    }

    /** Send the model with another app. */
    fun shareModel() = session.withModel { model ->
        val file = File(SharedFiles.folder(activity), "my-classes.tflite")
        model.bake(file)
        activity.runOnUiThread { activity.launch(Intent.createChooser(SharedFiles.send(file), null)) }
    }

    /** Use what the user has chosen. */
    fun receive(requestCode: Int, data: Intent) {
        val uris = data.clipData?.let { clip -> List(clip.itemCount) { clip.getItemAt(it).uri } } ?: listOfNotNull(data.data)
        val uri = uris.firstOrNull() ?: return
        when (requestCode) {
            OPEN -> session.openFile(nameOf(uri)) { copy(uri) }
            PREDICT -> session.predictPhoto { read(uri) }
            PHOTOS -> label?.let { session.addPhotos(it, uris.map { each -> { read(each) } }) }
            else -> FileContent.values().getOrNull(requestCode - SAVE)?.let { write(it, uri) }
        }
    }

    private fun write(content: FileContent, uri: Uri) {
        val name = nameOf(uri)
        session.withModel { model ->
            try {
                val stream = resolver.openOutputStream(uri, "wt") ?: throw IOException()
                stream.use { CONTENTS.getValue(content)(model, it) }
            } catch (error: IOException) {
                throw IOException(activity.getString(R.string.cannot_write, name), error)
            } catch (error: StorageError) {
                throw IOException(activity.getString(R.string.cannot_write, name), error)
            }
            session.tell(activity.getString(R.string.saved, name))
        }
    }

    private fun <T> open(uri: Uri, use: (InputStream) -> T): T = try {
        (resolver.openInputStream(uri) ?: throw IOException()).use(use)
    } catch (error: IOException) {
        throw IOException(activity.getString(R.string.cannot_read, nameOf(uri)), error)
    } catch (error: SecurityException) { // the permission has ended
        throw IOException(activity.getString(R.string.cannot_read, nameOf(uri)), error)
    }

    private fun read(uri: Uri): ByteArray = open(uri, InputStream::readBytes)

    /** Copy a file into the cache: a project is larger than the memory of a small phone. */
    private fun copy(uri: Uri): File = open(uri) { copyIntoCache(activity.applicationContext, it) }

    private fun nameOf(uri: Uri): String {
        val cursor: Cursor? = resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
        val name = cursor?.use { if (it.moveToFirst()) it.getString(0) else null }
        return name ?: uri.lastPathSegment?.substringAfterLast('/') ?: ""
    }

    private fun openIntent(type: String) =
        Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType(type)

    private companion object {
        const val OPEN = 10
        const val PREDICT = 11
        const val PHOTOS = 12
        const val SAVE = 20
        val CONTENTS: Map<FileContent, (PersonalModel, OutputStream) -> Unit> = mapOf(
            FileContent.MODEL to PersonalModel::bake,
            FileContent.PROJECT to PersonalModel::exportProject,
            FileContent.CHECKPOINT to PersonalModel::saveCheckpoint,
        )
    }
}

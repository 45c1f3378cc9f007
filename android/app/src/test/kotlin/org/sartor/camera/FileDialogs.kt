package org.sartor.camera

import android.app.Activity
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.InputStream

/** The menu of the project, and the windows of Android in which a user chooses files. */
class FileDialogs(private val app: AppRule) {
    private val resolver get() = shadowOf(RuntimeEnvironment.getApplication().contentResolver)

    /** Tap a row of the menu. */
    fun choose(title: Int) = choose(app.activity.getString(title))

    /** Tap a row of the menu; see the other method of this name. */
    fun choose(title: String) = row(title).performClick()

    /** Return a row of the menu, which is opened if no sheet is open. */
    fun row(title: String): View {
        if (app.activity.sheet == null) {
            app.press(R.id.menu)
        }
        val view = requireNotNull(find(app.sheet, title)) { "$title is missing" }
        return view.parent.parent as View
    }

    private fun find(view: View, text: String): TextView? = when {
        view is TextView && view.id == R.id.choice_title && view.text.toString() == text -> view
        view is ViewGroup -> (0 until view.childCount).firstNotNullOfOrNull { find(view.getChildAt(it), text) }
        else -> null
    }

    /** Save a file, and return its content. */
    fun save(title: Int, name: String): ByteArray {
        choose(title)
        val output = ByteArrayOutputStream()
        val uri = Uri.parse("content://documents/$name")
        resolver.registerOutputStream(uri, output)
        answer(listOf(uri))
        app.waitUntil("$name is saved") { app.state.message?.text == "$name was saved" }
        return output.toByteArray()
    }

    /** Open a file. */
    fun open(name: String, content: ByteArray) = open(name, ByteArrayInputStream(content))

    /** Open a file; see the other method of this name. */
    fun open(name: String, content: InputStream) {
        app.activity.dismissMessage()
        choose(R.string.open_file)
        answer(listOf(uri(name, content)))
    }

    /** Return the address of a file in another app. */
    fun uri(name: String, content: InputStream): Uri =
        Uri.parse("content://documents/$name").also { resolver.registerInputStream(it, content) }

    /** Choose files in the window of Android. */
    fun answer(uris: List<Uri>) {
        val request = shadowOf(app.activity).nextStartedActivityForResult
        val data = Intent().setData(uris.first())
        if (uris.size > 1) {
            data.clipData = ClipData.newRawUri("photos", uris[0]).apply {
                uris.drop(1).forEach { addItem(ClipData.Item(it)) }
            }
        }
        shadowOf(app.activity).receiveResult(request.intent, Activity.RESULT_OK, data)
    }
}

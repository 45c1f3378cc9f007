package org.sartor.camera

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.os.Looper
import android.os.StrictMode
import android.view.View
import org.robolectric.Shadows.shadowOf
import java.io.File

/** Write what a view shows, and what a sheet above it shows, as a PNG. */
fun screenshot(name: String, screen: View, sheet: View? = null) {
    shadowOf(Looper.getMainLooper()).idle()
    val image = Bitmap.createBitmap(screen.width, screen.height, Bitmap.Config.ARGB_8888)
    val canvas = Canvas(image)
    screen.draw(canvas)
    if (sheet != null) {
        canvas.drawPaint(Paint().apply { color = 0x80000000.toInt() })
        val isWide = sheet.width < screen.width
        val y = screen.height - sheet.height
        canvas.translate((screen.width - sheet.width) / 2f, if (isWide) y / 2f else y.toFloat())
        sheet.draw(canvas)
    }
    val policy = StrictMode.getThreadPolicy()
    StrictMode.setThreadPolicy(StrictMode.ThreadPolicy.LAX) // the compression is slow
    File(System.getProperty("sartor.screens"), "$name.png").outputStream().use {
        image.compress(Bitmap.CompressFormat.PNG, 100, it)
    }
    StrictMode.setThreadPolicy(policy)
}

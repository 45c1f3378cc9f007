package org.sartor.images

import android.graphics.Bitmap
import android.media.Image
import org.sartor.DataError

/** Frames of a camera as bitmaps, for an app that shows the frames that it predicts. */
public object CameraFrames {
    /**
     * Return an upright bitmap of a frame.
     *
     * @param image frame in YUV_420_888, of any strides. It is copied: it may be closed afterwards.
     * @param rotation clockwise rotation that makes the frame upright: 0, 90, 180 or 270 degrees.
     * @throws DataError if it has another format or rotation.
     */
    @JvmStatic
    public fun toBitmap(image: Image, rotation: Int): Bitmap {
        val pixels = decodeFrame(image, rotation)
        val config = Bitmap.Config.ARGB_8888
        return Bitmap.createBitmap(colorsOf(pixels), pixels.width, pixels.height, config)
    }
}

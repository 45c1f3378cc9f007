package org.sartor.camera.frames

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.Bitmap
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.util.Size
import org.sartor.images.CameraFrames
import kotlin.math.abs

/**
 * The frames of a camera of the device, in YUV_420_888 of about 640 x 480 pixels.
 *
 * The preview shows the frames that are predicted, so that the user sees what the model sees.
 */
class Camera2Source(context: Context) : FrameSource {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    /** The looper of the background thread. */
    val looper: Looper get() = thread.looper

    private var listener: FrameSource.Listener? = null
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null
    private var chosen = 0

    @Volatile
    private var displayRotation = 0

    @Volatile
    override var cameras: Int = 0
        private set

    override fun start(listener: FrameSource.Listener) {
        handler.post {
            this.listener = listener
            if (device == null) open()
        }
    }

    override fun switchCamera() {
        handler.post {
            chosen += 1
            close()
            open()
        }
    }

    override fun setDisplayRotation(degrees: Int) {
        displayRotation = degrees
    }

    override fun stop() {
        handler.post {
            listener = null
            close()
        }
    }

    @SuppressLint("MissingPermission") // the activity has asked for it; a refusal is a SecurityException
    private fun open() {
        val ids = backFirst()
        cameras = ids.size
        val id = ids.getOrNull(chosen % maxOf(1, ids.size)) ?: return tell(CameraState.MISSING)
        tell(CameraState.STARTING)
        try {
            manager.openCamera(id, Callback(manager.getCameraCharacteristics(id)), handler)
        } catch (error: CameraAccessException) {
            tell(if (error.reason in IN_USE) CameraState.BUSY else CameraState.LOST)
        } catch (_: IllegalArgumentException) {
            tell(CameraState.LOST) // it was unplugged meanwhile
        } catch (_: SecurityException) {
            tell(CameraState.DENIED)
        }
    }

    private fun close() {
        device?.close()
        device = null
        reader?.close()
        reader = null
    }

    private fun tell(state: CameraState) {
        listener?.onState(state)
    }

    private inner class Callback(characteristics: CameraCharacteristics) : CameraDevice.StateCallback() {
        private val isFront = characteristics[CameraCharacteristics.LENS_FACING] == CameraMetadata.LENS_FACING_FRONT
        private val sensor = characteristics[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0
        private val size = sizeOf(characteristics)

        override fun onOpened(camera: CameraDevice) {
            if (listener == null) {
                return camera.close() // the app has left meanwhile
            }
            device = camera
            val images = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, BUFFERS)
            images.setOnImageAvailableListener({ convert(it) }, handler)
            reader = images
            capture(camera, images)
        }

        override fun onDisconnected(camera: CameraDevice) = end(camera, CameraState.LOST)

        override fun onError(camera: CameraDevice, error: Int) =
            end(camera, if (error in ERRORS_IN_USE) CameraState.BUSY else CameraState.LOST)

        private fun end(camera: CameraDevice, state: CameraState) {
            camera.close()
            if (camera === device) {
                this@Camera2Source.close()
            }
            tell(state)
        }

        private fun convert(images: ImageReader) {
            val image = images.acquireLatestImage() ?: return
            val bitmap: Bitmap = image.use { CameraFrames.toBitmap(it, rotation()) }
            listener?.onFrame(Frame(square(bitmap), isFront))
        }

        /** Return the clockwise rotation that makes a frame upright on the display. */
        private fun rotation(): Int = (sensor + (if (isFront) displayRotation else -displayRotation) + 360) % 360
    }

    @Suppress("DEPRECATION") // SessionConfiguration is API 28
    private fun capture(camera: CameraDevice, images: ImageReader) {
        val callback = object : CameraCaptureSession.StateCallback() {
            override fun onConfigured(session: CameraCaptureSession) {
                try {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    request.addTarget(images.surface)
                    session.setRepeatingRequest(request.build(), null, handler)
                    tell(CameraState.ON)
                } catch (_: CameraAccessException) {
                    tell(CameraState.LOST)
                } catch (_: IllegalStateException) {
                    tell(CameraState.LOST) // it was closed meanwhile
                }
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = tell(CameraState.LOST)
        }
        try {
            camera.createCaptureSession(listOf(images.surface), callback, handler)
        } catch (_: CameraAccessException) {
            tell(CameraState.LOST)
        }
    }

    private fun backFirst(): List<String> = try {
        manager.cameraIdList.sortedBy { facing(it) != CameraMetadata.LENS_FACING_BACK }
    } catch (_: CameraAccessException) {
        emptyList()
    } catch (_: IllegalArgumentException) {
        emptyList() // one was unplugged meanwhile
    }

    private fun facing(id: String): Int? = manager.getCameraCharacteristics(id)[CameraCharacteristics.LENS_FACING]

    /** Return the frame size of a camera, the nearest to 640 x 480. */
    private fun sizeOf(characteristics: CameraCharacteristics): Size {
        val map = characteristics[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
        val sizes = map?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        return sizes.minByOrNull { abs(it.width - WIDTH) + abs(it.height - HEIGHT) } ?: Size(WIDTH, HEIGHT)
    }

    private fun square(image: Bitmap): Bitmap {
        val side = minOf(image.width, image.height)
        return Bitmap.createBitmap(image, (image.width - side) / 2, (image.height - side) / 2, side, side)
    }

    private companion object {
        const val WIDTH = 640
        const val HEIGHT = 480
        const val BUFFERS = 2
        val IN_USE = setOf(CameraAccessException.CAMERA_IN_USE, CameraAccessException.MAX_CAMERAS_IN_USE)
        val ERRORS_IN_USE = setOf(
            CameraDevice.StateCallback.ERROR_CAMERA_IN_USE,
            CameraDevice.StateCallback.ERROR_MAX_CAMERAS_IN_USE,
        )
    }
}

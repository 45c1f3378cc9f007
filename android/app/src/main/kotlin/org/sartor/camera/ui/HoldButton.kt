package org.sartor.camera.ui

import android.content.Context
import android.util.AttributeSet
import android.view.KeyEvent
import android.view.MotionEvent
import android.widget.Button

/**
 * A button that acts while it is held, by touch or by a key.
 *
 * A click without holding, as of a screen reader, holds it for a second.
 */
class HoldButton(context: Context, attributes: AttributeSet?) : Button(context, attributes) {
    /** Called with true when the button is pressed, and with false when it is released. */
    var onHold: (Boolean) -> Unit = {}

    /** Whether the button is held. */
    var isHeld: Boolean = false
        private set

    private val release = Runnable { hold(false) }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                // A list that scrolls must not take the touch of a held button.
                parent?.requestDisallowInterceptTouchEvent(true)
                isPressed = true
                hold(true)
            }
            MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> {
                isPressed = false
                hold(false)
            }
        }
        return true
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean {
        if (!isConfirmation(keyCode)) {
            return super.onKeyDown(keyCode, event)
        }
        hold(true)
        return true
    }

    override fun onKeyUp(keyCode: Int, event: KeyEvent): Boolean {
        if (!isConfirmation(keyCode)) {
            return super.onKeyUp(keyCode, event)
        }
        hold(false)
        return true
    }

    override fun performClick(): Boolean {
        super.performClick()
        hold(true)
        postDelayed(release, BURST)
        return true
    }

    override fun onDetachedFromWindow() {
        hold(false)
        super.onDetachedFromWindow()
    }

    private fun hold(held: Boolean) {
        removeCallbacks(release)
        if (held != isHeld) {
            isHeld = held
            onHold(held)
        }
    }

    private fun isConfirmation(keyCode: Int) =
        keyCode == KeyEvent.KEYCODE_DPAD_CENTER || keyCode == KeyEvent.KEYCODE_ENTER || keyCode == KeyEvent.KEYCODE_SPACE

    private companion object {
        /** Length of a recording by a click, in milliseconds. */
        const val BURST = 1000L
    }
}

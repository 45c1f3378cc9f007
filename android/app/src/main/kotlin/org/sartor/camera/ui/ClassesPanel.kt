package org.sartor.camera.ui

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.RadioButton
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState

/** The cards of the classes, and the switch between training and test samples. */
class ClassesPanel(root: View, private val actions: Actions) {
    private val context = root.context
    private val grid: ViewGroup = root.find(R.id.cards)
    private val add: View = LayoutInflater.from(context).inflate(R.layout.add_card, grid, false)
    private val trainingSamples: RadioButton = root.find(R.id.training_samples)
    private val testSamples: RadioButton = root.find(R.id.test_samples)
    private val hint: TextView = root.find(R.id.switch_hint)
    private val cards = ArrayList<ClassCard>()

    init {
        add.setOnClickListener { actions.addClass() }
        trainingSamples.setOnClickListener { actions.setTest(false) }
        testSamples.setOnClickListener { actions.setTest(true) }
    }

    /** Show a state. */
    fun render(state: ScreenState) {
        while (cards.size > state.classes.size) {
            grid.removeView(cards.removeAt(cards.size - 1).root)
        }
        while (cards.size < state.classes.size) {
            val card = ClassCard(LayoutInflater.from(context).inflate(R.layout.card, grid, false), actions)
            grid.addView(card.root, cards.size)
            cards.add(card)
        }
        cards.forEachIndexed { i, card -> card.render(state.classes[i], state) }
        renderAdd(state)
        trainingSamples.isChecked = !state.isTest
        testSamples.isChecked = state.isTest
        hint.show(context.getString(if (state.isTest) R.string.test_hint else R.string.training_hint))
    }

    private fun renderAdd(state: ScreenState) {
        val isVisible = state.project is ProjectState.Open && state.classes.size < state.capacity
        if (isVisible && add.parent == null) {
            grid.addView(add)
        } else if (!isVisible) {
            grid.removeView(add)
        }
        add.find<TextView>(R.id.capacity).show(
            context.getString(R.string.capacity, state.classes.size, state.capacity),
        )
    }
}

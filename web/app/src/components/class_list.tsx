/** The cards of the classes, and the switch between training and test samples. */

import { useApp } from '../app.js';
import { ClassCard } from './class_card.js';
import { Icon } from './icons.js';

/** All classes. */
export function ClassList() {
  const { project, messages } = useApp();
  const classes = project.classes.value;
  const addClass = async () => {
    try {
      const name = await project.addClass();
      messages.speak(`${name} was added`);
    } catch (error) {
      messages.failure('No class was added.', error);
    }
  };
  return (
    <section class="classes" aria-label="Classes">
      <ul class="cards">
        {classes.map((each, i) => (
          <ClassCard key={each.id} of={each} number={i + 1} />
        ))}
        {project.state.value === 'open' && classes.length < project.capacity.value && (
          <li class="add-card">
            <button type="button" class="add-class" onClick={() => void addClass()}>
              <Icon name="add" />
              <span>Add a class</span>
              <span class="quiet">
                {classes.length} of {project.capacity.value}
              </span>
            </button>
          </li>
        )}
      </ul>
      <SampleSwitch />
    </section>
  );
}

/** The choice whether samples train, or only measure. */
function SampleSwitch() {
  const { predictor } = useApp();
  const options = [
    [false, 'Training samples'],
    [true, 'Test samples'],
  ] as const;
  return (
    <fieldset class="sample-switch">
      <legend class="only-spoken">New samples are</legend>
      <div class="switch">
        {options.map(([isTest, label]) => (
          <label key={label}>
            <input
              type="radio"
              name="samples"
              checked={predictor.isTest.value === isTest}
              onChange={() => {
                predictor.isTest.value = isTest;
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <p class="quiet">
        {predictor.isTest.value
          ? 'New samples measure the accuracy, and never train.'
          : 'New samples train. Switch to record some that only measure.'}
      </p>
    </fieldset>
  );
}

/** The state of the model, while it is not open. */

import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';

/** A sheet over the preview; nothing if the model is open. */
export function Opening() {
  const { project } = useApp();
  const state = project.state.value;
  if (state === 'open') {
    return null;
  }
  if (state === 'opening') {
    return (
      <div class="opening" role="status">
        <div class="spinner" />
        <p>Opening the model</p>
      </div>
    );
  }
  if (state === 'elsewhere') {
    return (
      <div class="opening is-failed" role="alert">
        <h2>Open in another tab</h2>
        <p>One tab at a time can use a project, so that no sample is lost.</p>
        <button type="button" class="button is-primary" onClick={() => void project.takeOver()}>
          Use it here
        </button>
      </div>
    );
  }
  return (
    <div class="opening is-failed" role="alert">
      <h2>The model cannot be opened</h2>
      <p>{project.failure.value}</p>
      <div class="row">
        {project.base.value !== undefined && (
          <button type="button" class="button" onClick={() => void project.retry()}>
            Try again
          </button>
        )}
        {state === 'damaged' && <DamagedStore />}
      </div>
    </div>
  );
}

/** The button that deletes samples that cannot be read. */
function DamagedStore() {
  const { project, messages } = useApp();
  const isConfirming = useSignal(false);
  const remove = async () => {
    if (!isConfirming.value) {
      isConfirming.value = true;
      return;
    }
    try {
      await project.deleteDamaged();
    } catch (error) {
      messages.failure('The samples were not deleted.', error);
    }
  };
  return (
    <button
      type="button"
      class={`button ${isConfirming.value ? 'is-danger' : ''}`}
      onClick={() => void remove()}
    >
      {isConfirming.value ? 'Delete them for good' : 'Delete the stored samples'}
    </button>
  );
}

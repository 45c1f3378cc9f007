/** The menu of the project: its base, its files, its deletion, and what happens to the data. */

import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';
import { EXPORTS, type Export, saveExport } from '../exports.js';
import { BaseChoice } from './base_choice.js';
import { Dialog } from './dialog.js';
import { FileButton } from './file_button.js';
import { Icon } from './icons.js';

interface MenuProps {
  readonly onClose: () => void;
}

/** The menu. */
export function ProjectMenu({ onClose }: MenuProps) {
  const { importer } = useApp();
  return (
    <Dialog title="Project" onClose={onClose}>
      <p class="quiet">Every sample is saved in this browser at once.</p>
      <Exports />
      <h3>Open</h3>
      <FileButton
        class="button is-wide"
        accept=".sartor,.zip,.tflite,.safetensors"
        label="Open a project, model or checkpoint"
        onFiles={(files) => {
          onClose();
          void importer.import(files);
        }}
      />
      <FileButton
        class="button is-wide"
        isFolder
        label="Add a folder of photos: one subfolder per class"
        onFiles={(files) => {
          onClose();
          void importer.import(files);
        }}
      />
      <BaseChoice />
      <Deletion onClose={onClose} />
      <Privacy />
    </Dialog>
  );
}

function Exports() {
  const { project, messages } = useApp();
  const save = async (item: Export) => {
    try {
      await saveExport(project.model, item);
    } catch (error) {
      messages.failure(`${item.title}: the file was not saved.`, error);
    }
  };
  return (
    <>
      <h3>Save as a file</h3>
      <ul class="choices">
        {EXPORTS.map((item) => (
          <li key={item.title}>
            <button type="button" class="choice" onClick={() => void save(item)}>
              <Icon name="save" />
              <span>
                <strong>{item.title}</strong> <span class="quiet">{item.description}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Deletion({ onClose }: MenuProps) {
  const { project, messages } = useApp();
  const isConfirming = useSignal(false);
  const clear = async () => {
    onClose();
    try {
      await project.clear();
    } catch (error) {
      messages.failure('The samples were not deleted.', error);
    }
  };
  return (
    <>
      <h3>Start again</h3>
      <button
        type="button"
        class={`button is-wide ${isConfirming.value ? 'is-danger' : ''}`}
        onClick={() => {
          if (isConfirming.value) {
            void clear();
          }
          isConfirming.value = true;
        }}
      >
        {isConfirming.value ? 'Delete all classes and samples for good' : 'New project'}
      </button>
    </>
  );
}

function Privacy() {
  const { isOffline } = useApp();
  return (
    <>
      <h3>Privacy</h3>
      <p class="privacy-text">
        <Icon name="lock" />
        <span>
          Photos, samples and models stay in this browser. The security policy of this page forbids
          it to reach any address but its own, and it sends nothing there.{' '}
          {isOffline.value && 'It works without a network: switch it off and see.'}
        </span>
      </p>
    </>
  );
}

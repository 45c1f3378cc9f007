/** The whole screen, onto which files can be dropped. */

import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';
import { filesOfDrop } from '../dropped_files.js';
import { ClassList } from './class_list.js';
import { Header } from './header.js';
import { MessageList } from './message_list.js';
import { Preview } from './preview.js';
import { Results } from './results.js';
import { TrainingPanel } from './training_panel.js';
import { useRecordingKeys } from './use_recording_keys.js';

/** The screen of the app. */
export function Screen() {
  const { importer } = useApp();
  const isDragging = useSignal(false);
  useRecordingKeys();

  const drop = async (event: DragEvent) => {
    event.preventDefault();
    isDragging.value = false;
    if (event.dataTransfer !== null) {
      await importer.import(await filesOfDrop(event.dataTransfer));
    }
  };
  const dragOver = (event: DragEvent) => {
    event.preventDefault();
    isDragging.value = true;
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files have buttons too, in the cards and the menu
    <div
      class={`screen ${isDragging.value ? 'is-dragging' : ''}`}
      onDragOver={dragOver}
      onDragLeave={() => {
        isDragging.value = false;
      }}
      onDrop={drop}
    >
      <Header />
      <main class="parts">
        <Preview />
        <ClassList />
        <TrainingPanel />
        <Results />
      </main>
      <MessageList />
    </div>
  );
}

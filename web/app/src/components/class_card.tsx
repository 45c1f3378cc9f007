/** The card of a class: its name, its confidence, its samples, and the button that records. */

import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';
import { filesOfDrop } from '../dropped_files.js';
import type { ClassOfProject } from '../project.js';
import { ClassDialog } from './class_dialog.js';
import { ConfidenceBar } from './confidence_bar.js';
import { FileButton } from './file_button.js';
import { HoldButton } from './hold_button.js';
import { Icon } from './icons.js';

interface ClassCardProps {
  readonly of: ClassOfProject;
  /** Number of the card, from 1, which is also the key that records. */
  readonly number: number;
}

/** The card of one class. */
export function ClassCard({ of, number }: ClassCardProps) {
  const { importer, predictor } = useApp();
  const isDialogOpen = useSignal(false);
  const isDropTarget = useSignal(false);
  const { name, color, samples, heldOut } = of;
  const isEmpty = of.index === undefined;
  const isBest = predictor.predictions.value?.best?.label === name && !isEmpty;

  const drop = async (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    isDropTarget.value = false;
    if (event.dataTransfer !== null) {
      await importer.import(await filesOfDrop(event.dataTransfer), name);
    }
  };
  const states = [isBest && 'is-best', isDropTarget.value && 'is-drop-target'].filter(Boolean);

  return (
    <li
      class={`card color-${color} ${states.join(' ')}`}
      aria-label={name}
      onDragOver={(event) => {
        event.preventDefault();
        isDropTarget.value = true;
      }}
      onDragLeave={() => {
        isDropTarget.value = false;
      }}
      onDrop={drop}
    >
      <div class="card-head">
        <ClassName name={name} />
        <FileButton
          class="icon-button"
          accept="image/*"
          label={`Add photos to ${name}`}
          onFiles={(files) => void importer.import(files, name)}
        >
          <Icon name="files" />
        </FileButton>
        <button
          type="button"
          class="icon-button"
          aria-label={`Samples of ${name}`}
          aria-haspopup="dialog"
          onClick={() => {
            isDialogOpen.value = true;
          }}
        >
          <Icon name="more" />
        </button>
      </div>
      <ConfidenceBar name={name} isEmpty={isEmpty} />
      <div class="samples">
        <Strip name={name} />
        <Count training={samples - heldOut} test={heldOut} />
      </div>
      <HoldButton name={name} shortcut={number} />
      {isDialogOpen.value && (
        <ClassDialog
          of={of}
          onClose={() => {
            isDialogOpen.value = false;
          }}
        />
      )}
    </li>
  );
}

/** The name, which can be edited. */
function ClassName({ name }: { readonly name: string }) {
  const { project, messages } = useApp();
  const rename = async (input: HTMLInputElement) => {
    const text = input.value.trim();
    if (text === name || text === '') {
      input.value = name;
      return;
    }
    try {
      await project.renameClass(name, text);
    } catch (error) {
      input.value = name;
      messages.failure(`${name} was not renamed.`, error);
    }
  };
  return (
    <input
      class="class-name"
      aria-label={`Name of class ${name}`}
      defaultValue={name}
      autocomplete="off"
      spellcheck={false}
      maxLength={60}
      onFocus={({ currentTarget }) => currentTarget.select()}
      onBlur={({ currentTarget }) => void rename(currentTarget)}
      onKeyDown={(event) => {
        const { key, currentTarget } = event;
        if (key === 'Escape') {
          currentTarget.value = name;
        }
        if (key === 'Escape' || key === 'Enter') {
          event.preventDefault(); // the same key would press the button
          // leaving the input renames the class, and recording it is the next step
          currentTarget.closest('.card')?.querySelector<HTMLElement>('.hold')?.focus();
        }
      }}
    />
  );
}

interface CountProps {
  readonly training: number;
  readonly test: number;
}

/** The numbers of samples. */
function Count({ training, test }: CountProps) {
  return (
    <p class="count">
      <span class="count-number">{training}</span>
      <span class="only-spoken">training samples</span>
      {test > 0 && (
        <span class="count-test">
          {test}
          <span class="only-spoken">test samples</span>
        </span>
      )}
    </p>
  );
}

/** The last samples. */
function Strip({ name }: { readonly name: string }) {
  const thumbnails = useApp().project.thumbnails.byClass.value.get(name) ?? [];
  return (
    <div class="strip" aria-hidden="true">
      {thumbnails.map(({ id, url, heldOut }) => (
        <img key={id} class={heldOut ? 'is-test' : ''} src={url} alt="" />
      ))}
    </div>
  );
}

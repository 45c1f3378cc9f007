/** The choice of the base: those of the site, and those that the user has opened from files. */

import { useSignal } from '@preact/signals';
import { useApp } from '../app.js';
import { type Base, listedBase } from '../bases.js';
import { moveTo } from '../moving.js';
import type { OpenedBase } from '../opened_bases.js';
import { Icon } from './icons.js';

/** All bases; the photos of the samples move to the chosen one. */
export function BaseChoice() {
  const { bases, project } = useApp();
  const choose = useChoice();
  const opened = project.opened.list.value;
  if (bases.value.length + opened.length === 0) {
    return null;
  }
  return (
    <fieldset class="bases">
      <legend>Base</legend>
      <p class="quiet">
        A smaller one is faster. Samples move along, unless it has some already. Your own: open a
        .tflite file that <code>sartor convert</code> wrote.
      </p>
      {opened.map((base) => (
        <OpenedChoice key={base.key} of={base} onChoose={choose} />
      ))}
      {bases.value.map((listed) => (
        <Choice
          key={listed.file}
          base={listedBase(listed)}
          description={listed.description}
          onChoose={() => choose(listed.name, async () => listedBase(listed))}
        />
      ))}
    </fieldset>
  );
}

/** Return a function that changes the base, and tells the user. */
function useChoice() {
  const { project, messages, importer } = useApp();
  return async (name: string, read: () => Promise<Base | undefined>) => {
    try {
      const base = await read();
      if (base === undefined) {
        messages.error(`The browser has deleted ${name}. Open its file again.`);
        await project.opened.load();
        return;
      }
      const message = await moveTo(project, base, (done, total) => {
        importer.progress.value = { done, total };
      });
      messages.note(message);
    } catch (error) {
      messages.failure(`${name} was not opened.`, error);
    } finally {
      importer.progress.value = undefined;
    }
  };
}

interface ChoiceProps {
  readonly base: Pick<Base, 'key' | 'name'>;
  readonly description: string;
  readonly onChoose: () => void;
}

function Choice({ base, description, onChoose }: ChoiceProps) {
  const { project } = useApp();
  return (
    <label class="choice">
      <input
        type="radio"
        name="base"
        checked={project.base.value?.key === base.key}
        onChange={onChoose}
      />
      <span>
        <strong>{base.name}</strong> <span class="quiet">{description}</span>
      </span>
    </label>
  );
}

interface OpenedChoiceProps {
  readonly of: OpenedBase;
  readonly onChoose: (name: string, read: () => Promise<Base | undefined>) => void;
}

/** A base from a file, with the button that deletes it unless it is in use. */
function OpenedChoice({ of, onChoose }: OpenedChoiceProps) {
  const { project, messages } = useApp();
  const isConfirming = useSignal(false);
  const date = of.time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const remove = async () => {
    if (!isConfirming.value) {
      isConfirming.value = true;
      return;
    }
    try {
      await project.opened.remove(of);
    } catch (error) {
      messages.failure(`${of.name} was not deleted.`, error);
    }
  };
  return (
    <div class="opened-base">
      <Choice
        base={of}
        description={`Your file, opened ${date}.`}
        onChoose={() => onChoose(of.name, () => project.opened.base(of))}
      />
      {project.base.value?.key !== of.key && (
        <button
          type="button"
          class={isConfirming.value ? 'button is-danger' : 'icon-button'}
          aria-label={isConfirming.value ? undefined : `Delete ${of.name}`}
          onClick={() => void remove()}
        >
          {isConfirming.value ? 'Delete it and its samples' : <Icon name="delete" />}
        </button>
      )}
    </div>
  );
}

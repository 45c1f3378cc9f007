/** All samples of a class, to look at and to delete, and the deletion of the class. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useApp } from '../app.js';
import type { ClassOfProject } from '../project.js';
import { Dialog } from './dialog.js';
import { FileButton } from './file_button.js';
import { Icon } from './icons.js';

interface ClassDialogProps {
  readonly of: ClassOfProject;
  readonly onClose: () => void;
}

interface Sample {
  readonly id: number;
  readonly url: string;
}

/** The dialog of a class. */
export function ClassDialog({ of: { name, samples, color }, onClose }: ClassDialogProps) {
  const { project, importer, messages } = useApp();
  const gallery = useSamples(name, samples);
  const isConfirming = useSignal(false);
  const attempt = async (failure: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      messages.failure(failure, error);
    }
  };
  return (
    <Dialog title={name} onClose={onClose}>
      <p class="quiet">
        {samples === 0 ? 'No samples yet.' : `${samples} samples. Choose one to delete it.`}
      </p>
      <ul class={`gallery color-${color}`}>
        {gallery.map(({ id, url }, i) => (
          <li key={id}>
            <button
              type="button"
              aria-label={`Delete sample ${i + 1} of ${name}`}
              onClick={() =>
                void attempt('The sample was not deleted.', () => project.forget(name, [id]))
              }
            >
              <img src={url} alt="" />
              <Icon name="delete" />
            </button>
          </li>
        ))}
      </ul>
      <div class="row">
        <FileButton
          class="button"
          accept="image/*"
          label="Add photos"
          onFiles={(files) => void importer.import(files, name)}
        />
        <FileButton
          class="button"
          isFolder
          label="Add a folder"
          onFiles={(files) => void importer.import(files, name)}
        />
        {isConfirming.value ? (
          <button
            type="button"
            class="button is-danger"
            onClick={() =>
              void attempt(`${name} was not deleted.`, () => project.removeClass(name))
            }
          >
            Delete for good
          </button>
        ) : (
          <button
            type="button"
            class="button is-quiet"
            onClick={() => {
              isConfirming.value = true;
            }}
          >
            Delete the class
          </button>
        )}
      </div>
    </Dialog>
  );
}

/** Return the thumbnails of a class, the newest first. */
function useSamples(name: string, count: number): readonly Sample[] {
  const { project } = useApp();
  const samples = useSignal<readonly Sample[]>([]);
  useEffect(() => {
    const urls: string[] = [];
    const state = { isOver: false };
    const load = async () => {
      const thumbnails = await project.model.thumbnails(name);
      if (state.isOver) {
        return;
      }
      samples.value = [...thumbnails].reverse().map(({ id, image }) => {
        const url = URL.createObjectURL(image);
        urls.push(url);
        return { id, url };
      });
    };
    void load();
    return () => {
      state.isOver = true;
      urls.forEach(URL.revokeObjectURL);
    };
  }, [name, count, project]);
  return samples.value;
}

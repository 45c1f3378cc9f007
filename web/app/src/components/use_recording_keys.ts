/** Keys 1 to 9 record the classes while they are held. */

import { useEffect } from 'preact/hooks';
import { useApp } from '../app.js';

/** Record class n while key n is held, unless the user writes or a dialog is open. */
export function useRecordingKeys(): void {
  const { predictor, project } = useApp();
  useEffect(() => {
    const held = { key: '' };
    const press = ({ key, repeat, target, ctrlKey, metaKey, altKey }: KeyboardEvent) => {
      const label = /^[1-9]$/.test(key) ? project.classes.value[Number(key) - 1]?.name : undefined;
      const isWriting =
        target instanceof HTMLInputElement && !['checkbox', 'radio'].includes(target.type);
      const isElsewhere = isWriting || document.querySelector('dialog[open]') !== null;
      if (label === undefined || repeat || isElsewhere || ctrlKey || metaKey || altKey) {
        return;
      }
      held.key = key;
      predictor.record(label);
    };
    const stop = () => {
      if (held.key !== '') {
        held.key = '';
        predictor.stopRecording();
      }
    };
    const release = ({ key }: KeyboardEvent) => {
      if (key === held.key) {
        stop();
      }
    };
    addEventListener('keydown', press);
    addEventListener('keyup', release);
    addEventListener('blur', stop); // a window without focus gets no keyup
    return () => {
      removeEventListener('keydown', press);
      removeEventListener('keyup', release);
      removeEventListener('blur', stop);
    };
  }, [predictor, project]);
}

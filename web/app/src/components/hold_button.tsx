/** The button that records samples while it is held, by touch, mouse or key. */

import { useRef } from 'preact/hooks';
import { useApp } from '../app.js';

const BURST = 1000; // ms of a recording by a screen reader, which clicks and cannot hold

interface HoldButtonProps {
  readonly name: string;
  /** The number key that does the same. */
  readonly shortcut: number;
}

/** The button of a class. */
export function HoldButton({ name, shortcut }: HoldButtonProps) {
  const { predictor } = useApp();
  const wasHeld = useRef(false);
  const start = () => {
    wasHeld.current = true;
    predictor.record(name);
  };
  const stop = () => {
    if (predictor.recording.value === name) {
      predictor.stopRecording();
    }
  };
  const isKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter';
  const isRecording = predictor.recording.value === name;
  return (
    <button
      type="button"
      class={`hold ${isRecording ? 'is-held' : ''}`}
      aria-label={`Hold to record ${name}`}
      aria-pressed={isRecording}
      aria-keyshortcuts={shortcut < 10 ? String(shortcut) : undefined}
      onPointerDown={(event) => {
        if (event.button === 0) {
          event.currentTarget.setPointerCapture(event.pointerId);
          start();
        }
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onLostPointerCapture={stop}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (isKey(event)) {
          event.preventDefault();
          if (!event.repeat) {
            start();
          }
        }
      }}
      onKeyUp={(event) => {
        if (isKey(event)) {
          event.preventDefault();
          stop();
        }
      }}
      onBlur={stop}
      onClick={() => {
        if (!wasHeld.current) {
          predictor.record(name);
          setTimeout(stop, BURST);
        }
        wasHeld.current = false;
      }}
    >
      <span class="hold-dot" />
      {isRecording ? 'Recording' : 'Hold to record'}
    </button>
  );
}

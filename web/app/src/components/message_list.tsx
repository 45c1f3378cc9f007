/** The messages at the edge of the screen, and the text for screen readers. */

import { useRef } from 'preact/hooks';
import { useApp } from '../app.js';
import { Icon } from './icons.js';

/** The messages, and the progress of an import. */
export function MessageList() {
  const { messages, importer } = useApp();
  const progress = importer.progress.value;
  const former = useRef<Element | null>(null); // had the focus before a message
  const dismiss = (id: number) => {
    messages.dismiss(id);
    if (messages.list.value.length === 0 && former.current instanceof HTMLElement) {
      former.current.focus();
    }
  };
  return (
    <div
      class="messages"
      onFocusIn={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) {
          former.current = relatedTarget as Element | null;
        }
      }}
    >
      {progress !== undefined && (
        <div class="message">
          <p>
            Adding photos: {progress.done} of {progress.total}
          </p>
          {progress.canStop && (
            <button
              type="button"
              class="icon-button"
              aria-label="Stop adding photos"
              title="Stop adding photos"
              onClick={() => importer.stop()}
            >
              <Icon name="stop" />
            </button>
          )}
          <progress aria-label="Photos" value={progress.done} max={progress.total} />
        </div>
      )}
      {messages.list.value.map(({ id, text, isError }) => (
        <div
          key={id}
          class={`message ${isError ? 'is-error' : ''}`}
          role={isError ? 'alert' : 'status'}
        >
          <p>{text}</p>
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <p class="only-spoken" aria-live="polite">
        {messages.spoken.value}
      </p>
    </div>
  );
}

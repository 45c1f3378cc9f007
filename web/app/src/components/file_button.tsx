/** A button that opens the file chooser of the browser. */

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { type FileInFolder, filesOfInput } from '../dropped_files.js';

interface FileButtonProps {
  readonly class: string;
  /** Text of the button, or its name if `children` shows something else. */
  readonly label: string;
  readonly accept?: string;
  /** Whether the user chooses a folder. */
  readonly isFolder?: boolean;
  readonly onFiles: (files: readonly FileInFolder[]) => void;
  readonly children?: ComponentChildren;
}

/** A button for files. */
export function FileButton(props: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const { label, accept, isFolder = false, onFiles, children } = props;
  const choose = ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    if (currentTarget.files !== null && currentTarget.files.length > 0) {
      onFiles(filesOfInput(currentTarget.files));
    }
    currentTarget.value = ''; // the same file can be chosen again
  };
  return (
    <>
      <button
        type="button"
        class={props.class}
        aria-label={children === undefined ? undefined : label}
        title={children === undefined ? undefined : label}
        onClick={() => input.current?.click()}
      >
        {children ?? label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label={label}
        {...(accept === undefined ? {} : { accept })}
        {...(isFolder ? { webkitdirectory: true } : {})}
        onChange={choose}
      />
    </>
  );
}

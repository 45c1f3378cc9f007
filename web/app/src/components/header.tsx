/** The header: the name of the app, the promise of privacy, and the menu of the project. */

import { useSignal } from '@preact/signals';
import { Icon, Logo } from './icons.js';
import { ProjectMenu } from './project_menu.js';

/** The header of the screen. */
export function Header() {
  const isOpen = useSignal(false);
  return (
    <header class="header">
      <Logo />
      <h1>
        Sartor<span class="quiet"> camera</span>
      </h1>
      <p class="privacy" title="The page can reach no other address.">
        <Icon name="lock" />
        Nothing leaves this device
      </p>
      <button
        type="button"
        class="icon-button"
        aria-label="Project"
        aria-haspopup="dialog"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        <Icon name="menu" />
      </button>
      {isOpen.value && (
        <ProjectMenu
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </header>
  );
}

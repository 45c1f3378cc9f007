/** The icons: lines of 24 x 24 units in the color of the text. */

const PATHS = {
  add: 'M12 5v14M5 12h14',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7',
  close: 'M6 6l12 12M18 6 6 18',
  delete: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  files: 'M4 17v3h16v-3M12 4v12M7 9l5-5 5 5',
  flip: 'M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.5 3.500 0 0 1 7 0v3',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 5l12 7-12 7z',
  save: 'M4 17v3h16v-3M12 4v12M7 11l5 5 5-5',
  stop: 'M6 6h12v12H6z',
} as const;

/** An icon; a screen reader does not see it. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of the app: a needle with its thread. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 512 512" aria-hidden="true">
      <rect width="512" height="512" rx="112" />
      <path class="thread" d="M104 352c40 60 130 60 152-4s-64-92-60-148 74-96 132-64" />
      <path class="needle" d="M392 116 172 404" />
    </svg>
  );
}

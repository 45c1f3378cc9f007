/** The entry of the page. */

import { render } from 'preact';
import { App, AppProvider } from './app.js';
import { Screen } from './components/screen.js';
import { keepFocus } from './focus.js';
import './styles/index.css';

const app = new App();
const root = document.getElementById('app') as HTMLElement;
keepFocus(root);
render(
  <AppProvider value={app}>
    <Screen />
  </AppProvider>,
  root,
);
void app.start();

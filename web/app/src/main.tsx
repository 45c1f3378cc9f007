/** The entry of the page. */

import { render } from 'preact';
import { App, AppProvider } from './app.js';
import { Screen } from './components/screen.js';
import './styles/index.css';

const app = new App();
render(
  <AppProvider value={app}>
    <Screen />
  </AppProvider>,
  document.getElementById('app') as HTMLElement,
);
void app.start();

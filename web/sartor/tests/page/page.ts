/** The page of the tests: they call `PersonalModel` in the browser. */

import * as sartor from '../../src/index.js';

declare global {
  interface Window {
    sartor: typeof sartor;
    /** The open model. */
    model: sartor.PersonalModel;
  }
}

window.sartor = sartor;

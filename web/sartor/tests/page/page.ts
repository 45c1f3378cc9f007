/** The page of the tests: they call `PersonalModel` in the browser. */

import * as decoding from '../../src/images/decode.js';
import * as resizing from '../../src/images/resize.js';
import * as sartor from '../../src/index.js';

declare global {
  interface Window {
    sartor: typeof sartor;
    images: typeof decoding & typeof resizing;
    /** The open model. */
    model: sartor.PersonalModel;
    /** Return the content of an address of the test server. */
    content: (url: string) => Promise<ArrayBuffer>;
    /** Return the pixels of an image of noise around a color. */
    photo: (color: readonly [number, number, number], seed: number) => ImageData;
  }
}

window.sartor = sartor;
window.images = { ...decoding, ...resizing };

window.content = async (url) => (await fetch(url, { cache: 'no-store' })).arrayBuffer();

window.photo = (color, seed) => {
  const image = new ImageData(20, 30);
  for (let at = 0; at < image.data.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      const noise = 40 * Math.sin((at + channel) * (seed + 1.7));
      image.data[at + channel] = (color[channel] ?? 0) + noise;
    }
    image.data[at + 3] = 255;
  }
  return image;
};

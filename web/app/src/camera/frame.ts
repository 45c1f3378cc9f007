/** Frames of the video: the square in its center, which is what the model sees. */

/** Side of a frame in pixels; smaller videos give smaller frames. */
export const FRAME_SIZE = 480;
const JPEG = { type: 'image/jpeg', quality: 0.92 };

/** A square canvas that takes the frames of a video, one at a time. */
export class FrameCanvas {
  readonly #canvas = new OffscreenCanvas(FRAME_SIZE, FRAME_SIZE);
  readonly #drawing = this.#canvas.getContext('2d', { alpha: false });

  /** Return the current frame; close it after use. */
  bitmap(video: HTMLVideoElement): ImageBitmap {
    return this.#draw(video).transferToImageBitmap();
  }

  /** Return the current frame as a JPEG. */
  encode(video: HTMLVideoElement): Promise<Blob> {
    return this.#draw(video).convertToBlob(JPEG);
  }

  #draw(video: HTMLVideoElement): OffscreenCanvas {
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    const size = Math.min(side, FRAME_SIZE);
    if (this.#canvas.width !== size) {
      this.#canvas.width = size;
      this.#canvas.height = size;
    }
    const [left, top] = [(width - side) / 2, (height - side) / 2];
    this.#drawing?.drawImage(video, left, top, side, side, 0, 0, size, size);
    return this.#canvas;
  }
}

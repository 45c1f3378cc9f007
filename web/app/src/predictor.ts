/** The live predictions: one frame after another, and recordings of frames as samples. */

import { computed, effect, signal, untracked } from '@preact/signals';
import type { PredictionsOfInput } from 'sartor';
import type { Camera } from './camera/camera.js';
import { FrameCanvas } from './camera/frame.js';
import type { Messages } from './messages.js';
import type { Project } from './project.js';

const SAMPLES_PER_SECOND = 12;
const WINDOW = 20; // frames of the mean time

/** The speed of the predictions. */
export interface Speed {
  readonly framesPerSecond: number;
  /** Mean time from a frame to its prediction. */
  readonly milliseconds: number;
}

/** Predicts the frames of the camera, and adds those of a recording as samples. */
export class Predictor {
  /** The predictions for the last frame, or for a photo. */
  readonly predictions = signal<PredictionsOfInput | undefined>(undefined);
  /** Whether the model can say "none of these", which it learns from a training. */
  readonly hasDetector = computed(() => this.predictions.value?.inDistribution !== undefined);
  /** Class that is being recorded. */
  readonly recording = signal<string | undefined>(undefined);
  /** Whether samples are added as test samples, which never train. */
  readonly isTest = signal(false);
  /** A photo that is shown instead of the video. */
  readonly photo = signal<string | undefined>(undefined);
  readonly speed = signal<Speed | undefined>(undefined);
  /** The element that shows the video. */
  video: HTMLVideoElement | undefined;
  readonly #canvas = new FrameCanvas();
  readonly #project: Project;
  readonly #camera: Camera;
  readonly #messages: Messages;
  #times: { start: number; end: number }[] = [];
  #lastSample = 0;
  /** Whether the recording has no sample yet. */
  #isDue = false;
  /** Whether the recording ends with its next sample. */
  #isEnding = false;

  constructor(project: Project, camera: Camera, messages: Messages) {
    this.#project = project;
    this.#camera = camera;
    this.#messages = messages;
    effect(() => {
      const isLive = camera.state.value === 'on' && project.state.value === 'open';
      if (!isLive) {
        untracked(() => this.#clear());
      }
    });
  }

  /** Predict frames until the page ends. */
  async run(): Promise<never> {
    for (;;) {
      const video = await this.#nextFrame();
      const start = performance.now();
      try {
        await this.#predictFrame(video);
        this.#measure(start, performance.now());
      } catch (error) {
        if (this.#project.state.value === 'open') {
          const isRecording = this.recording.value !== undefined;
          this.recording.value = undefined;
          const failure = isRecording
            ? 'The sample was not added.'
            : 'The image was not predicted.';
          this.#messages.failure(failure, error);
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
      }
    }
  }

  /** Record the frames of the camera as samples of a class, until `stopRecording`. */
  record(label: string): void {
    if (this.#camera.state.value !== 'on') {
      this.#messages.error('The camera is off. Start it, or add photos.');
      return;
    }
    this.clearPhoto();
    this.#lastSample = 0;
    this.#isDue = true;
    this.#isEnding = false;
    this.recording.value = label;
  }

  /** End the recording; a press that was shorter than a frame still records one. */
  stopRecording(): void {
    if (this.#isDue) {
      this.#isEnding = true;
    } else {
      this.#endRecording();
    }
  }

  #endRecording(): void {
    const label = this.recording.value;
    this.recording.value = undefined;
    const summary = this.#project.classes.value.find(({ name }) => name === label);
    if (summary !== undefined) {
      const { name, samples } = summary;
      this.#messages.speak(`${name}: ${samples} ${samples === 1 ? 'sample' : 'samples'}`);
    }
  }

  /** Show a photo with its predictions, until the next recording. */
  async predictPhoto(photo: Blob): Promise<void> {
    const predictions = await this.#project.model.predict(photo);
    this.clearPhoto();
    this.photo.value = URL.createObjectURL(photo);
    this.predictions.value = predictions;
  }

  /** Show the camera again. */
  clearPhoto(): void {
    if (this.photo.value !== undefined) {
      URL.revokeObjectURL(this.photo.value);
      this.photo.value = undefined;
      this.predictions.value = undefined;
    }
  }

  async #predictFrame(video: HTMLVideoElement): Promise<void> {
    const label = this.recording.value;
    const { model } = this.#project;
    const now = performance.now();
    if (label === undefined || now - this.#lastSample < 1000 / SAMPLES_PER_SECOND) {
      const bitmap = this.#canvas.bitmap(video);
      try {
        this.#show(await model.predict(bitmap));
      } finally {
        bitmap.close();
      }
      return;
    }
    this.#lastSample = now;
    const image = await this.#canvas.encode(video);
    const predictions = await model.predict(image, { features: true });
    this.#show(predictions);
    if (!this.#project.classes.value.some(({ name }) => name === label)) {
      this.recording.value = undefined; // the class was renamed or deleted meanwhile
      return;
    }
    await this.#project.addSample(image, label, this.isTest.value, predictions.features);
    this.#isDue = false;
    if (this.#isEnding) {
      this.#endRecording();
    }
  }

  /** Forget what was predicted, because the camera or the model has ended. */
  #clear(): void {
    const { state } = this.#project;
    this.recording.value = undefined;
    this.speed.value = undefined;
    this.#times = [];
    if (state.value !== 'open') {
      this.clearPhoto();
    }
    if (this.photo.value === undefined) {
      this.predictions.value = undefined;
    }
  }

  #show(predictions: PredictionsOfInput): void {
    if (this.photo.value === undefined && this.#camera.state.value === 'on') {
      this.predictions.value = predictions;
    }
  }

  /** Wait for a frame that can be predicted. */
  async #nextFrame(): Promise<HTMLVideoElement> {
    for (;;) {
      await new Promise((resolve) => {
        // A page in the background gets no animation frame, and so predicts none.
        requestAnimationFrame(resolve);
      });
      const { video } = this;
      const isReady =
        this.#project.state.value === 'open' &&
        this.#camera.state.value === 'on' &&
        this.photo.value === undefined;
      if (isReady && video !== undefined && video.readyState >= 2 && video.videoWidth > 0) {
        return video;
      }
    }
  }

  #measure(start: number, end: number): void {
    const times = this.#times;
    times.push({ start, end });
    const first = times.length > WINDOW ? times.shift() : undefined;
    if (first !== undefined && times.length === WINDOW) {
      const busy = times.reduce((sum, time) => sum + time.end - time.start, 0);
      this.speed.value = {
        framesPerSecond: (1000 * WINDOW) / (end - first.end),
        milliseconds: busy / WINDOW,
      };
    }
  }
}

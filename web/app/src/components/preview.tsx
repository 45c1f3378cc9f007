/** The preview: the square of the camera that the model sees, and what it recognizes. */

import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../app.js';
import { FileButton } from './file_button.js';
import { Icon } from './icons.js';
import { Opening } from './opening.js';
import { Verdict } from './verdict.js';

/** The preview with its prediction. */
export function Preview() {
  const { camera, project, predictor } = useApp();
  const { recording, photo, predictions } = predictor;
  const best = predictions.value?.best?.label;
  const place = project.classes.value.find(({ name }) => name === (recording.value ?? best));
  const isOn = camera.state.value === 'on' || photo.value !== undefined;
  const color = place === undefined ? '' : `color-${place.color}`;
  return (
    <section class={`view ${color}`} aria-label="Preview">
      <div class={`preview ${recording.value === undefined ? '' : 'is-recording'}`}>
        <Video />
        {photo.value !== undefined && <img class="picture" src={photo.value} alt="Your file" />}
        {isOn ? <Overlay /> : <NoCamera />}
        <Opening />
      </div>
      <Verdict />
    </section>
  );
}

function Video() {
  const { camera, predictor } = useApp();
  const element = useRef<HTMLVideoElement>(null);
  const stream = camera.stream.value;
  useEffect(() => {
    const video = element.current;
    if (video !== null) {
      predictor.video = video;
      video.srcObject = stream ?? null;
      video.play().catch(() => {}); // the stream has ended or was replaced
    }
  }, [stream, predictor]);
  return (
    <video
      ref={element}
      class={camera.isMirrored.value ? 'picture is-mirrored' : 'picture'}
      hidden={stream === undefined}
      muted
      playsInline
      aria-label="Camera"
    />
  );
}

/** Side of the present camera → the camera that the button chooses. */
const OTHER_CAMERA = { user: 'back', environment: 'front', other: 'next' } as const;

/** The buttons over the video, and the sign of a recording. */
function Overlay() {
  const { camera, predictor } = useApp();
  const { recording, photo, speed, isTest } = predictor;
  return (
    <>
      {recording.value !== undefined && (
        <p class="badge recording-badge">
          {isTest.value ? 'Test sample of' : 'Recording'} {recording.value}
        </p>
      )}
      {recording.value === undefined && photo.value === undefined && speed.value !== undefined && (
        <p class="badge speed-badge" title="Time from a frame to its prediction">
          {Math.round(speed.value.framesPerSecond)} frames/s ·{' '}
          {Math.round(speed.value.milliseconds)} ms
        </p>
      )}
      {photo.value !== undefined && (
        <button type="button" class="overlay-button" onClick={() => predictor.clearPhoto()}>
          <Icon name="camera" /> Back to the camera
        </button>
      )}
      {photo.value === undefined && camera.count.value > 1 && (
        <button
          type="button"
          class="overlay-button is-round"
          aria-label={`Use the ${OTHER_CAMERA[camera.side.value ?? 'other']} camera`}
          title={`Use the ${OTHER_CAMERA[camera.side.value ?? 'other']} camera`}
          onClick={() => void camera.switch()}
        >
          <Icon name="flip" />
        </button>
      )}
    </>
  );
}

/** State of the camera → title and explanation. */
const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  off: ['The camera is off', 'Start it to see live predictions.'],
  starting: ['Starting the camera', 'If the browser asks, allow this page to use it.'],
  denied: [
    'The camera is blocked',
    'Allow it in the settings of this page, beside the address, then try again.',
  ],
  missing: ['No camera', 'Connect one, or work with photos.'],
  busy: ['The camera is in use', 'Close the other app that uses it, then try again.'],
  unplugged: ['The camera was disconnected', 'Connect it again, or work with photos.'],
  insecure: [
    'This address gets no camera',
    'Browsers give it to https pages and to localhost only.',
  ],
};

function NoCamera() {
  const { camera, importer } = useApp();
  const [title, text] = REASONS[camera.state.value] ?? ['', ''];
  return (
    <div class="no-camera">
      <Icon name="camera" />
      <h2>{title}</h2>
      <p>{text}</p>
      {camera.state.value !== 'starting' && (
        <div class="row">
          {camera.state.value !== 'insecure' && (
            <button type="button" class="button" onClick={() => void camera.start()}>
              Start the camera
            </button>
          )}
          <FileButton
            class="button"
            accept="image/*"
            label="Predict a photo"
            onFiles={(files) => void importer.import(files)}
          />
        </div>
      )}
    </div>
  );
}

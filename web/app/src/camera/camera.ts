/** The camera: its video, its side, and the reason why there is none. */

import { signal } from '@preact/signals';
import { FRAME_SIZE } from './frame.js';

/** The states of the camera. */
export type CameraState =
  | 'off'
  | 'starting'
  | 'on'
  | 'denied'
  | 'missing'
  | 'busy'
  | 'unplugged'
  | 'insecure';

/** Name of an error of `getUserMedia` → state. */
const ERRORS: Readonly<Record<string, CameraState>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

const CHOICE = 'sartor-camera'; // the key of the choice: a side, or the id of a device

type Side = 'user' | 'environment';
const OTHER_SIDE: Readonly<Record<Side, Side>> = { user: 'environment', environment: 'user' };

/** The camera of the device. */
export class Camera {
  readonly state = signal<CameraState>('off');
  readonly stream = signal<MediaStream | undefined>(undefined);
  /** Side of the camera: `user` is the front, `environment` the back; undefined for webcams. */
  readonly side = signal<Side | undefined>(undefined);
  /** Number of cameras. */
  readonly count = signal(0);
  /** Whether the video shows the user, as a mirror does. */
  readonly isMirrored = signal(false);

  constructor() {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#followDevices());
  }

  /** Start the camera; `state` says whether that worked. */
  async start(): Promise<void> {
    if (navigator.mediaDevices === undefined) {
      this.state.value = isSecureContext ? 'missing' : 'insecure';
      return;
    }
    this.stop();
    this.state.value = 'starting';
    try {
      this.#show(await openCamera(chosenCamera()));
      await this.#countCameras();
    } catch (error) {
      const isGone = (error as Error).name === 'OverconstrainedError';
      if (isGone && localStorage.getItem(CHOICE) !== null) {
        localStorage.removeItem(CHOICE);
        await this.start();
        return;
      }
      this.state.value = ERRORS[(error as Error).name] ?? 'missing';
    }
  }

  /** Use the camera on the other side, or the next one if that is the same or has no side. */
  async switch(): Promise<void> {
    const former = this.#device;
    if (this.side.value !== undefined) {
      localStorage.setItem(CHOICE, OTHER_SIDE[this.side.value]);
      await this.start();
    }
    if (this.#device === former) {
      const devices = await videoDevices();
      const index = devices.findIndex(({ deviceId }) => deviceId === former);
      localStorage.setItem(CHOICE, devices[(index + 1) % devices.length]?.deviceId ?? '');
      await this.start();
    }
  }

  /** Turn the camera off. */
  stop(): void {
    for (const track of this.stream.value?.getTracks() ?? []) {
      track.stop();
    }
    this.stream.value = undefined;
    this.state.value = 'off';
  }

  #show(stream: MediaStream): void {
    const [track] = stream.getVideoTracks();
    track?.addEventListener('ended', () => {
      if (this.stream.value === stream) {
        this.stop();
        this.state.value = 'unplugged';
      }
    });
    const facing = track?.getSettings().facingMode;
    this.side.value = isSide(facing) ? facing : undefined;
    this.isMirrored.value = this.side.value !== 'environment';
    this.stream.value = stream;
    this.state.value = 'on';
  }

  /** The id of the device in use. */
  get #device(): string | undefined {
    return this.stream.value?.getVideoTracks()[0]?.getSettings().deviceId;
  }

  async #countCameras(): Promise<void> {
    this.count.value = (await videoDevices()).length;
  }

  /** Start again when a camera is plugged in. */
  async #followDevices(): Promise<void> {
    await this.#countCameras();
    if (this.count.value > 0 && ['missing', 'unplugged'].includes(this.state.value)) {
      await this.start();
    }
  }
}

async function videoDevices(): Promise<readonly MediaDeviceInfo[]> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === 'videoinput');
}

function openCamera(choice: MediaTrackConstraints): Promise<MediaStream> {
  const size = { width: { ideal: (FRAME_SIZE * 4) / 3 }, height: { ideal: FRAME_SIZE } };
  return navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { ...choice, ...size, frameRate: { ideal: 30 } },
  });
}

/** Return the constraints of the camera that was chosen last; the default is the back. */
function chosenCamera(): MediaTrackConstraints {
  const choice = localStorage.getItem(CHOICE) || 'environment';
  return isSide(choice) ? { facingMode: { ideal: choice } } : { deviceId: { exact: choice } };
}

function isSide(value: string | undefined): value is Side {
  return value === 'user' || value === 'environment';
}

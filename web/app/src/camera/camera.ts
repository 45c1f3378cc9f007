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

const FACING = 'sartor-facing';

/** The camera of the device. */
export class Camera {
  readonly state = signal<CameraState>('off');
  readonly stream = signal<MediaStream | undefined>(undefined);
  /** Side of the camera: `user` is the front, `environment` is the back. */
  readonly facing = signal<'user' | 'environment'>(
    localStorage.getItem(FACING) === 'user' ? 'user' : 'environment',
  );
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
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: {
          facingMode: { ideal: this.facing.value },
          width: { ideal: (FRAME_SIZE * 4) / 3 },
          height: { ideal: FRAME_SIZE },
          frameRate: { ideal: 30 },
        },
      });
      this.#show(stream);
      await this.#countCameras();
    } catch (error) {
      this.state.value = ERRORS[(error as Error).name] ?? 'missing';
    }
  }

  /** Use the camera on the other side. */
  async switchSide(): Promise<void> {
    this.facing.value = this.facing.value === 'user' ? 'environment' : 'user';
    localStorage.setItem(FACING, this.facing.value);
    await this.start();
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
    this.isMirrored.value = track?.getSettings().facingMode !== 'environment';
    this.stream.value = stream;
    this.state.value = 'on';
  }

  async #countCameras(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    this.count.value = devices.filter(({ kind }) => kind === 'videoinput').length;
  }

  /** Start again when a camera is plugged in. */
  async #followDevices(): Promise<void> {
    await this.#countCameras();
    if (this.count.value > 0 && ['missing', 'unplugged'].includes(this.state.value)) {
      await this.start();
    }
  }
}

/** Firefox, controlled by Marionette, the protocol below WebDriver that it has built in. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT = 60_000; // ms
const SCRIPT_TIMEOUT = 110_000;
const PREFERENCES = { 'marionette.port': 0, 'datareporting.policy.dataSubmissionEnabled': false };

/** Settings of Firefox: name → value. */
type Preferences = Readonly<Record<string, boolean | number>>;

/** Return the path of Firefox: `$FIREFOX`, or that of an installed one; undefined without one. */
export function firefoxPath(): string | undefined {
  if (process.env.FIREFOX) {
    return process.env.FIREFOX;
  }
  try {
    const names = 'command -v firefox-esr || command -v firefox';
    return execFileSync('sh', ['-c', names], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** A tab of Firefox with a temporary profile. */
export class Firefox {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #calls = 0;
  #resolve: ((message: string) => void) | undefined;

  private constructor(process: ChildProcess, profile: string, socket: Socket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#deliver();
    });
  }

  /** Start Firefox without a window; `preferences` are further settings. */
  static async start(path: string, preferences: Preferences = {}): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), 'sartor-firefox-'));
    const lines = Object.entries({ ...PREFERENCES, ...preferences }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
    const options = ['--headless', '--marionette', '--no-remote', '--profile', profile];
    const process = spawn(path, options, { stdio: 'ignore' });
    const port = await portOf(profile);
    const firefox = new Firefox(process, profile, connect(port, '127.0.0.1'));
    await firefox.#message(); // its greeting
    await firefox.#call('WebDriver:NewSession', {});
    await firefox.#call('WebDriver:SetTimeouts', { script: SCRIPT_TIMEOUT });
    return firefox;
  }

  /** Open a page, and wait until it has loaded. */
  async open(url: string): Promise<void> {
    await this.#call('WebDriver:Navigate', { url });
  }

  /** Return the result of a function that runs in the page; throws its error. */
  async evaluate<T>(action: (argument: string) => Promise<T>, argument = ''): Promise<T> {
    const script = `
const [argument, end] = arguments;
(${action})(argument).then((value) => end({ value }), (error) => end({ error: String(error) }));`;
    const { value } = (await this.#call('WebDriver:ExecuteAsyncScript', {
      script,
      args: [argument],
      sandbox: null, // the page itself
    })) as { value: { value: T; error?: string } };
    if (value.error !== undefined) {
      throw new Error(value.error);
    }
    return value.value;
  }

  /** End Firefox, and delete its profile. */
  async close(): Promise<void> {
    const end = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#socket.destroy();
    this.#process.kill();
    await end;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #call(name: string, parameters: object): Promise<unknown> {
    this.#calls += 1;
    const text = JSON.stringify([0, this.#calls, name, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    const [, , error, result] = JSON.parse(await this.#message());
    if (error !== null) {
      throw new Error(`${name}: ${error.error}: ${error.message}`);
    }
    return result;
  }

  /** Return the next message: its length, a colon, and JSON. */
  #message(): Promise<string> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#deliver();
    });
  }

  #deliver(): void {
    const colon = this.#received.indexOf(':');
    const end = colon + 1 + Number(this.#received.subarray(0, colon).toString());
    if (this.#resolve !== undefined && colon > 0 && this.#received.length >= end) {
      const message = this.#received.subarray(colon + 1, end).toString();
      this.#received = this.#received.subarray(end);
      this.#resolve(message);
    }
  }
}

/** Wait until Firefox has written the port of Marionette. */
async function portOf(profile: string): Promise<number> {
  const file = join(profile, 'MarionetteActivePort');
  const end = Date.now() + START_TIMEOUT;
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') {
    if (Date.now() > end) {
      throw new Error(`Firefox has not started within ${START_TIMEOUT / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Number(readFileSync(file, 'utf8'));
}

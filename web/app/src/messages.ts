/** The messages to the user: notes that go away by themselves, and errors that stay. */

import { signal } from '@preact/signals';
import { explain } from './explanations.js';

/** A message on the screen. */
export interface Message {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const NOTE_TIME = 6000; // ms
const MOST = 3;

/** The list of messages, and the text for screen readers. All texts are whole sentences. */
export class Messages {
  /** The messages, the last one is the newest. */
  readonly list = signal<readonly Message[]>([]);
  /** Text that a screen reader says, such as the number of samples after a recording. */
  readonly spoken = signal('');
  #count = 0;

  /** Show a note for some seconds. */
  note(text: string): void {
    const { id } = this.#add(text, false);
    setTimeout(() => this.dismiss(id), NOTE_TIME);
  }

  /** Show an error until the user dismisses it. */
  error(text: string): void {
    this.#add(text, true);
  }

  /**
   * Show that something has failed, and why. The console has the words of the library.
   *
   * @param failure - sentence about what has not happened.
   * @param reason - the error.
   */
  failure(failure: string, reason: unknown): void {
    console.warn(reason);
    this.error(`${failure} ${explain(reason)}`);
  }

  /** Remove a message. */
  dismiss(id: number): void {
    this.list.value = this.list.value.filter((message) => message.id !== id);
  }

  /** Have a screen reader say a text. */
  speak(text: string): void {
    this.spoken.value = text;
  }

  #add(text: string, isError: boolean): Message {
    this.#count += 1;
    const message = { id: this.#count, text, isError };
    const others = this.list.value.filter((each) => each.text !== text);
    this.list.value = [...others, message].slice(-MOST);
    return message;
  }
}

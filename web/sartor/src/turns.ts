/** Turns of the worker: long computations let messages, such as those of a preview, pass. */

const LONGEST_TURN = 8; // ms; a preview of 60 frames per second waits half a frame

let start = performance.now();

/**
 * Let waiting messages be served, unless that was done in the last 8 ms.
 *
 * Call it at least every few milliseconds of a long computation.
 */
export async function takeTurns(): Promise<void> {
  if (performance.now() - start < LONGEST_TURN) {
    return;
  }
  await new Promise<void>((resolve) => {
    // `setTimeout` would wait 4 ms, and `scheduler.yield` would go before other messages
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  start = performance.now();
}

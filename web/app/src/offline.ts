/** The registration of the service worker. */

const TIMEOUT = 20_000; // ms to wait for the service worker at the first visit
const RELOADED = 'sartor-reloaded';

/**
 * Register the service worker, and wait until it controls the page.
 *
 * All later requests pass through it, so that the next visit works offline. Once, it reloads a page
 * that the host did not isolate: the reloaded page has the headers of the service worker.
 *
 * @returns whether the app will work offline.
 */
export async function startOffline(): Promise<boolean> {
  const container = navigator.serviceWorker;
  if (container === undefined || import.meta.env.DEV) {
    return false;
  }
  try {
    await container.register('service-worker.js');
    await controlled(container);
  } catch (error) {
    console.warn('the app will not work offline:', error);
    return false;
  }
  if (!crossOriginIsolated && sessionStorage.getItem(RELOADED) === null) {
    sessionStorage.setItem(RELOADED, 'yes');
    location.reload();
    await new Promise(() => {}); // the page ends
  }
  return true;
}

function controlled(container: ServiceWorkerContainer): Promise<void> {
  if (container.controller !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    container.addEventListener('controllerchange', () => resolve(), { once: true });
    setTimeout(() => reject(new Error('the service worker does not start')), TIMEOUT);
  });
}

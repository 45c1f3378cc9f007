/** The stop in the browser of a project on its way; the test is `RoundTripTest` of android/sartor. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { download, readFile, type Tab, useTab, writeFile } from '../browser.js';

/** Folder of `model.tflite`, `android.sartor` and the photos. */
const FOLDER = process.env.ROUND_TRIP ?? '';

const tab = useTab();

it('a project of Android opens, gets samples, and is saved again', async () => {
  await tab.open(address('model.tflite'));
  const notes = await tab.page.evaluate(
    async (url) => window.model.importProject(await window.content(url)),
    address('android.sartor'),
  );
  expect(notes).toEqual([]);
  const opened = await stateOf(tab);
  await addSample(address('more/2.png'), 'schuhe é');
  await addSample(address('more/3.png'), 'new');
  const changed = await stateOf(tab);
  await download(tab.site, tab.page, 'browser.sartor', () => window.model.exportProject());
  writeFileSync(join(FOLDER, 'browser.sartor'), readFile(tab.site, 'browser.sartor'));
  writeFileSync(join(FOLDER, 'browser.json'), JSON.stringify({ opened, changed }));
});

/** Return the address of a file of the test. */
function address(name: string): string {
  return writeFile(tab.site, name.replace('/', '-'), readFileSync(join(FOLDER, name)));
}

function addSample(url: string, label: string): Promise<number> {
  return tab.page.evaluate(
    async ([photo, name]) => window.model.addSample(await window.content(photo), name),
    [url, label] as const,
  );
}

/** Return the predictions for each probe, and the samples, as the other stops state them. */
async function stateOf({ page }: Tab) {
  const probes = readdirSync(join(FOLDER, 'probe')).sort();
  const predictions = [];
  for (const probe of probes) {
    predictions.push(
      await page.evaluate(
        async (url) => window.model.predict(await window.content(url)),
        address(`probe/${probe}`),
      ),
    );
  }
  const samples = await page.evaluate(() => window.model.samples());
  const { accuracy } = await page.evaluate(() => window.model.evaluate());
  return {
    outputs: predictions.map(({ ranking }) =>
      Object.fromEntries(ranking.map(({ label, probability }) => [label, probability])),
    ),
    in_distribution: predictions.map(({ inDistribution }) => inDistribution ?? null),
    samples: samples.map((each) => [
      each.id,
      each.heldOut,
      Object.keys(each.targets)[0],
      each.source,
    ]),
    accuracy,
  };
}

/** The files that a user opens and saves: photos, models, checkpoints, projects, and wrong ones. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { Screen } from './screen.js';
import { type Files, HOOK_TIMEOUT, Host, makeFiles, openBrowser } from './site.js';

let files: Files;
let host: Host;
let browser: Browser;
let screen: Screen;

beforeAll(async () => {
  files = makeFiles();
  host = new Host(files.site);
  await host.start();
  browser = await openBrowser('none', '');
}, HOOK_TIMEOUT);

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

beforeEach(async () => {
  screen = await Screen.open(browser, host.url);
  await screen.opened();
});

afterEach(async () => {
  await screen?.context.close();
});

it('states in plain sentences why a file cannot be read, and changes nothing', async () => {
  const wrong: readonly [string, string][] = [
    ['notes.txt', 'notes.txt cannot be read. The app reads photos'],
    ['model.tflite', 'model.tflite was not opened. It is not a .tflite model, or it is damaged.'],
    ['p.sartor', 'p.sartor was not opened. It is not a project, or it is damaged.'],
    ['w.safetensors', 'w.safetensors was not opened. It is not a checkpoint, or it is damaged.'],
    ['photo.jpg', 'photo.jpg was not predicted. It is not an image that this browser reads'],
  ];
  for (const [name, message] of wrong) {
    await screen.drop(name, '', new TextEncoder().encode('this is a text'));
    await screen.page.getByRole('alert').filter({ hasText: message }).waitFor();
    await screen.page.getByRole('button', { name: 'Dismiss' }).first().click();
  }
  expect(await screen.page.locator('.card').count()).toBe(4);
});

it('learns from photos that are dropped, exports them, and imports the project', async () => {
  await screen.addPhoto('Class 1', '#d01020');
  await screen.addPhoto('Class 2', '#1020d0');
  await screen.drop('question.png', 'image/png', await screen.photo('#2030c0'));
  await screen.verdict('Class 2');

  await screen.openMenu();
  const project = await screen.save('Project');
  const model = await screen.save('Model');
  expect((await screen.save('Checkpoint')).length).toBeLessThan(model.length);
  const classifier = await screen.save('Plain classifier');
  expect(Buffer.from(classifier).includes('Class 1\nClass 2')).toBe(true); // its labels
  await screen.page.keyboard.press('Escape');
  const questions: string[] = [];
  screen.page.once('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.dismiss();
  });
  await screen.upload('mine.sartor', project);
  await expect.poll(() => questions).toEqual([expect.stringContaining('replaces all samples')]);
  expect(await screen.samples('Class 2')).toBe(1);
  await screen.openMenu();
  await screen.page.getByRole('button', { name: 'New project' }).click();
  await screen.page.getByRole('button', { name: /Delete all/ }).click();
  await screen.count('Class 1', 0);
  await screen.count('Class 4', 0);
  await screen.upload('mine.sartor', project);
  await screen.page.getByText('mine.sartor is loaded').waitFor();
  expect(await screen.samples('Class 1')).toBe(1);

  await screen.upload('mine.tflite', model);
  await screen.page.getByText('mine.tflite is open with its own classes').waitFor();
  expect(await screen.page.locator('.card').count()).toBe(2);
  await screen.drop('question.png', 'image/png', await screen.photo('#2030c0'));
  await screen.verdict('Class 2'); // without any sample
  await screen.page.reload();
  await screen.opened();
  expect(await screen.page.locator('.card').count()).toBe(2);
});

it('shows the result of a training only with the weights that it gave', async () => {
  const { page } = screen;
  const result = page.getByText('Trained on 4 samples.');
  for (const [name, color] of Object.entries({ 'Class 1': '#d01020', 'Class 2': '#1020d0' })) {
    await screen.addPhoto(name, color);
    await screen.addPhoto(name, `${color}80`);
  }
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await result.waitFor();
  await screen.rename('Class 1', 'Hat');
  await screen.openMenu();
  const project = await screen.save('Project');
  await page.keyboard.press('Escape');
  await result.waitFor();
  await screen.addPhoto('Class 3', '#30d020'); // an imprinted class competes with the others
  await result.waitFor({ state: 'detached' });

  page.on('dialog', (dialog) => void dialog.accept());
  await screen.upload('mine.sartor', project);
  await result.waitFor();
  await screen.upload('trained.sartor', trainInPython(project));
  await page.getByText('trained.sartor is loaded').waitFor();
  expect(await screen.samples('Hat')).toBe(2);
  expect(await result.count()).toBe(0);
});

it('moves the samples to another base, and leads back to the bases that were opened', async () => {
  const { page } = screen;
  const radio = (name: string | RegExp) => page.getByRole('radio', { name });
  await screen.addPhoto('Class 3', '#d01020');
  await screen.openMenu();
  await radio(/128 x 128/).click();
  await page.getByText('128 x 128 pixels is open').waitFor();
  expect(await screen.samples('Class 3')).toBe(1);
  const project = await screen.save('Project');
  await page.keyboard.press('Escape');

  const [base = ''] = readdirSync(join(files.site, 'bases')).filter((name) => /160/.test(name));
  await screen.upload('own.tflite', readFileSync(join(files.site, 'bases', base)));
  await page.getByText('own.tflite is open').waitFor();
  expect(await screen.samples('Class 3')).toBe(1);
  await screen.addPhoto('Class 4', '#1020d0');
  page.once('dialog', (dialog) => void dialog.accept());
  await screen.upload('small.sartor', project);
  await page.getByText('small.sartor is loaded, with its own base').waitFor();
  await page.getByText('Your former samples stay with own.tflite, in the menu.').waitFor();
  expect(await screen.samples('Class 4')).toBe(0);

  await page.reload();
  await screen.opened();
  await screen.openMenu();
  expect(await radio(/small.sartor/).isChecked()).toBe(true);
  await radio(/own.tflite/).click();
  await page.getByText('own.tflite is open with its own classes').waitFor();
  expect(await screen.samples('Class 4')).toBe(1);
  await page.getByRole('button', { name: 'Delete small.sartor' }).click();
  await page.getByRole('button', { name: 'Delete it and its samples' }).click();
  await radio(/small.sartor/).waitFor({ state: 'detached' });
  const storages = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('sartor');
    const names: string[] = [];
    for await (const name of folder.keys()) {
      names.push(name);
    }
    return names;
  });
  expect(storages.filter((name) => name.startsWith('file-'))).toHaveLength(1); // own.tflite
});

it('stops adding the photos of a folder', async () => {
  const folder = join(inject('cameraFolder'), 'many');
  mkdirSync(folder, { recursive: true });
  const photo = await screen.photo('#d01020');
  for (let i = 0; i < 500; i += 1) {
    writeFileSync(join(folder, `${i}.png`), Buffer.concat([photo, Buffer.from(`${i}`)]));
  }
  await screen.dropPaths([folder]);
  await screen.page.getByText(/Adding photos: [1-9]/).waitFor();
  await screen.page.getByRole('button', { name: 'Stop adding photos' }).click();
  await screen.page.getByText(/photos? added/).waitFor();
  const count = await screen.samples('many');
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(500);
});

it('states that stored samples are damaged, and deletes them after a question', async () => {
  const { page } = screen;
  await screen.addPhoto('Class 1', '#d01020');
  await page.goto(`${host.url}manifest.webmanifest`); // closes the model
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('sartor');
    for await (const file of filesIn(folder)) {
      const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
      if (new TextDecoder('latin1').decode(bytes).includes('CREATE TABLE features')) {
        const writable = await file.createWritable({ keepExistingData: true });
        await writable.write({ type: 'write', position: 4096 + 100, data: new Uint8Array(2000) });
        await writable.close();
      }
    }

    async function* filesIn(
      parent: FileSystemDirectoryHandle,
    ): AsyncGenerator<FileSystemFileHandle> {
      for await (const handle of parent.values()) {
        if (handle instanceof FileSystemDirectoryHandle) {
          yield* filesIn(handle);
        } else {
          yield handle as FileSystemFileHandle;
        }
      }
    }
  });
  await page.goto(host.url);
  await page.getByRole('heading', { name: 'The model cannot be opened' }).waitFor();
  await page.getByText('The stored samples cannot be read.').waitFor();
  await page.getByRole('button', { name: 'Delete the stored samples' }).click();
  await page.getByRole('button', { name: 'Delete them for good' }).click();
  await screen.opened();
  expect(await screen.samples('Class 1')).toBe(0);
});

/** Train a project in Python with other options, and return it. */
function trainInPython(project: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(inject('cameraFolder'), 'python-'));
  writeFileSync(join(folder, 'in.sartor'), project);
  const [base = ''] = readdirSync(join(files.site, 'bases')).filter((name) => /224/.test(name));
  const script = `
import sys
import sartor
with sartor.PersonalModel(sys.argv[1]) as model:
    model.import_project("in.sartor")
    model.fit(epochs=3)
    model.export_project("out.sartor")`;
  execFileSync('python', ['-c', script, join(files.site, 'bases', base)], { cwd: folder });
  return readFileSync(join(folder, 'out.sartor'));
}

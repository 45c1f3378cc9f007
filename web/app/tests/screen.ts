/** The app in a tab, as a user sees it. */

import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Scene } from './site.js';

declare global {
  interface Window {
    /** Return whether the camera shows a scene. */
    isScene: (scene: Scene) => boolean;
  }
}

/** The app in a tab, as a user sees it. */
export class Screen {
  readonly page: Page;
  readonly context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.context = context;
  }

  /** Open the app in a new profile, which may use the camera. */
  static async open(browser: Browser, url: string, permissions = ['camera']): Promise<Screen> {
    const viewport = { width: 390, height: 844 };
    const context = await browser.newContext({ permissions, viewport });
    return Screen.openTab(context, url);
  }

  /** Open the app in another tab of a profile. */
  static async openTab(context: BrowserContext, url: string): Promise<Screen> {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error('error of the page:', error));
    page.on('console', (message) => {
      if (message.text().includes('offline')) {
        console.error('message of the page:', message.text());
      }
    });
    await page.addInitScript(`window.isScene = ${isScene}`);
    await page.goto(url);
    return new Screen(page, context);
  }

  /** Wait until the app predicts frames of the camera. */
  async ready(): Promise<void> {
    await this.page.locator('.speed-badge').waitFor();
  }

  /** Wait until the model is open. */
  async opened(): Promise<void> {
    await this.page.locator('.hold').first().waitFor();
    await this.page.locator('.opening').waitFor({ state: 'detached' });
  }

  /** Wait until the video shows a scene. */
  async scene(scene: Scene): Promise<void> {
    await this.page.waitForFunction((name) => window.isScene(name), scene, { polling: 50 });
  }

  /** Hold the button of a class while the video shows a scene, until it has enough samples. */
  async record(name: string, scene: Scene, count: number): Promise<void> {
    const button = this.page.getByRole('button', { name: `Hold to record ${name}` });
    while ((await this.samples(name)) < count) {
      await this.scene(scene);
      await button.focus();
      await this.page.keyboard.down('Space');
      await this.page.waitForFunction(
        ([source, label, number]) => {
          const card = document.querySelector(`.card[aria-label="${label}"]`);
          const samples = Number(card?.querySelector('.count-number')?.textContent);
          return samples >= number || !window.isScene(source);
        },
        [scene, name, count] as const,
        { polling: 50 },
      );
      await this.page.keyboard.up('Space');
    }
  }

  /** Return the number of training samples of a class. */
  async samples(name: string): Promise<number> {
    const text = await this.card(name).locator('.count-number').textContent();
    return Number(text);
  }

  card(name: string) {
    return this.page.getByRole('listitem', { name, exact: true });
  }

  /** Rename a class. */
  async rename(from: string, to: string): Promise<void> {
    const input = this.page.getByRole('textbox', { name: `Name of class ${from}`, exact: true });
    await input.fill(to);
    await input.press('Enter');
    await this.card(to).waitFor();
  }

  /** Wait for the text of the verdict. */
  async verdict(text: string): Promise<void> {
    await this.page.locator('.verdict', { hasText: text }).waitFor();
  }

  /** Return the confidence of a class in percent. */
  async confidence(name: string): Promise<number> {
    const meter = this.card(name).getByRole('meter');
    return Number(await meter.getAttribute('aria-valuenow'));
  }

  /** Drop files and folders of this computer onto the page. */
  async dropPaths(files: string[]): Promise<void> {
    const session = await this.context.newCDPSession(this.page);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 100, y: 30, data });
    }
    await session.detach();
  }

  /** Drop a file onto the page, or onto the card of a class. */
  async drop(name: string, type: string, content: Uint8Array, target = '.screen'): Promise<void> {
    await this.page.evaluate(
      ([selector, file, kind, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], file, { type: kind }));
        const event = new DragEvent('drop', { dataTransfer: data, bubbles: true });
        document.querySelector(selector)?.dispatchEvent(event);
      },
      [target, name, type, [...content]] as const,
    );
  }

  /** Return a photo of one color as a PNG. */
  async photo(color: string): Promise<Uint8Array> {
    const bytes = await this.page.evaluate(async (fill) => {
      const canvas = new OffscreenCanvas(64, 64);
      const drawing = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
      drawing.fillStyle = fill;
      drawing.fillRect(0, 0, 64, 64);
      const blob = await canvas.convertToBlob();
      return [...new Uint8Array(await blob.arrayBuffer())];
    }, color);
    return new Uint8Array(bytes);
  }

  /** Drop a photo of one color onto the card of a class, and wait until it is a sample. */
  async addPhoto(name: string, color: string): Promise<void> {
    const count = (await this.samples(name)) + 1;
    const target = `.card[aria-label="${name}"] .hold`;
    await this.drop(`${color}.png`, 'image/png', await this.photo(color), target);
    await this.count(name, count);
  }

  /** Wait until a class has a number of training samples. */
  async count(name: string, count: number): Promise<void> {
    await this.card(name)
      .locator('.count-number', { hasText: `${count}` })
      .waitFor();
  }

  /** Open the menu. */
  async openMenu(): Promise<void> {
    await this.page.getByRole('button', { name: 'Project', exact: true }).click();
  }

  /** Save a file by the menu, which is open, and return its content. */
  async save(title: string): Promise<Uint8Array> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.getByRole('button', { name: new RegExp(`^${title} `) }).click(),
    ]);
    return new Uint8Array(readFileSync(await download.path()));
  }

  /** Open a file by the menu. */
  async upload(name: string, content: Uint8Array): Promise<void> {
    await this.openMenu();
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.page.getByRole('button', { name: /Open a project/ }).click(),
    ]);
    await chooser.setFiles([{ name, mimeType: '', buffer: Buffer.from(content) }]);
  }

  /** Wait until a control has the focus, and return its accessible name. */
  async focus(): Promise<string> {
    const focused = this.page.locator('*:focus:not(body)');
    await focused.waitFor({ state: 'attached' });
    return focused.evaluate((control) => control.ariaLabel ?? control.textContent?.trim() ?? '');
  }
}

/** Return whether the strip at the edge of the video has the color of a scene; runs in the page. */
function isScene(scene: Scene): boolean {
  const video = document.querySelector('video');
  const drawing = new OffscreenCanvas(1, 1).getContext('2d');
  if (video === null || drawing === null) {
    return false;
  }
  drawing.drawImage(video, 10, 200, 20, 20, 0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = drawing.getImageData(0, 0, 1, 1).data;
  const colors = {
    hat: red > 150 && green < 100 && blue < 100,
    shoes: blue > 150 && red < 100 && green < 100,
    dress: green > 150 && red < 100 && blue < 100,
  };
  return colors[scene];
}

/** The keyboard focus: it goes to the nearest control when the focused one disappears. */

/** Controls that may get the focus; an input of text would open the keyboard of a phone. */
const CONTROLS = 'button:not(:disabled), summary, input:is([type="radio"], [type="checkbox"])';

/** An ancestor of an element, and the position of the element in it. */
interface Step {
  readonly parent: Element;
  readonly index: number;
}

/** Keep the focus inside an element of the page. */
export function keepFocus(root: HTMLElement): void {
  let element: Element | undefined;
  let path: readonly Step[] = [];
  root.addEventListener('focusin', ({ target }) => {
    element = target as Element;
    path = pathOf(element, root);
  });
  root.addEventListener('focusout', () => {
    // An element that is still there afterwards has lost the focus because the user left it.
    setTimeout(() => {
      if (element?.isConnected && element !== document.activeElement) {
        element = undefined;
      }
    });
  });
  const observer = new MutationObserver(() => {
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (element !== undefined && !element.isConnected && isLost) {
      element = undefined;
      neighbor(path)?.focus();
    }
  });
  observer.observe(root, { childList: true, subtree: true });
}

function pathOf(element: Element, root: Element): readonly Step[] {
  const path: Step[] = [];
  for (let child = element; child !== root && child.parentElement !== null; ) {
    const parent: Element = child.parentElement;
    path.push({ parent, index: [...parent.children].indexOf(child) });
    child = parent;
  }
  return path;
}

/** Return the control that has taken the place of an element, or the nearest one. */
function neighbor(path: readonly Step[]): HTMLElement | undefined {
  for (const { parent, index } of path.filter((step) => step.parent.isConnected)) {
    const children = [...parent.children];
    for (const child of [...children.slice(index), ...children.slice(0, index).reverse()]) {
      const controls = [child, ...child.querySelectorAll(CONTROLS)] as HTMLElement[];
      const control = controls.find((each) => each.matches(CONTROLS) && each.checkVisibility());
      if (control !== undefined) {
        return control;
      }
    }
  }
  return undefined;
}

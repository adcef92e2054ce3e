type Child = Node | string;

/** An element with attributes and children. Text is text, whatever it says. */
export function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** A button with the key that does the same. */
export function keyButton(text: string, key: string, onPress: () => void): HTMLButtonElement {
  const button = made('button', { type: 'button' }, made('kbd', {}, key), made('span', {}, text));
  button.addEventListener('click', (event) => {
    // After a press of the mouse the space bar is the page's again; a press of the keyboard has no detail.
    if (event.detail > 0) button.blur();
    onPress();
  });
  return button;
}

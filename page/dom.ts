// What the page does with its document. Text goes in as text, never as markup.

/** @throws {Error} when the markup has no such element of this kind: a fault of ours. */
export function one<E extends HTMLElement>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`)
  return found
}

export function setText(id: string, text: string): void {
  one(id, HTMLElement).textContent = text
}

export function show(id: string): void {
  one(id, HTMLElement).hidden = false
}

export function hide(id: string): void {
  one(id, HTMLElement).hidden = true
}

export function onClick(id: string, act: () => void): void {
  one(id, HTMLElement).addEventListener('click', act)
}

export function made<K extends keyof HTMLElementTagNameMap>(
  kind: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(kind)
  element.className = className
  element.textContent = text
  return element
}

/** Says something to screen readers, when they have finished what they are saying. */
export function announce(text: string): void {
  setText('status', text)
}

/** A sentence at the top of the page, once. */
export function notice(text: string): void {
  const notices = one('notices', HTMLElement)
  if ([...notices.children].some(({ textContent }) => textContent === text)) return
  const paragraph = made('p', 'card warn', text)
  paragraph.setAttribute('role', 'alert')
  notices.append(paragraph)
}

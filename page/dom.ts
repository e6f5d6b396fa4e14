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

/** `busy`: neither good nor bad, or not known yet. */
export type Tone = 'good' | 'bad' | 'busy'

export interface Line {
  readonly item: HTMLLIElement
  draw(tone: Tone, text: string): void
}

/** A line of a list of files: a name, and below it the state in words. */
export function lineOf(name: string, tone: Tone, text: string): Line {
  const item = made('li', '')
  const state = made('span', 'state')
  item.append(made('span', 'name', name), state)
  const draw = (tone: Tone, text: string) => {
    item.dataset['state'] = tone
    state.textContent = text
  }
  draw(tone, text)
  return { item, draw }
}

/** Lets screen readers say something, once they have finished the current sentence. */
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

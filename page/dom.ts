// What the page does with its document. Text goes in as text, never as markup.

import type { Said } from './messages.js'

/** What elements and their labels say, for `sayAgain`. Names and numbers are the same in every language. */
const texts = new WeakMap<Element, Said>()
const labels = new WeakMap<Element, Said>()

/** @throws {Error} when the markup has no such element of this kind: a fault of ours. */
export function one<E extends HTMLElement>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`)
  return found
}

export function setText(id: string, text: string | Said): void {
  write(one(id, HTMLElement), text)
}

function write(element: HTMLElement, text: string | Said): void {
  if (typeof text === 'string') texts.delete(element)
  else texts.set(element, text)
  element.textContent = typeof text === 'string' ? text : text()
}

/** A name for screen readers, where the text alone does not say enough. */
export function setLabel(element: HTMLElement, label: Said): void {
  labels.set(element, label)
  element.setAttribute('aria-label', label())
}

/** Says all that the script has said, in the language that the page has now. */
export function sayAgain(): void {
  for (const element of document.querySelectorAll<HTMLElement>('*')) {
    const text = texts.get(element)
    if (text !== undefined) write(element, text)
    const label = labels.get(element)
    if (label !== undefined) setLabel(element, label)
  }
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
  text: string | Said = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(kind)
  element.className = className
  write(element, text)
  return element
}

/** `busy`: neither good nor bad, or not known yet. */
export type Tone = 'good' | 'bad' | 'busy'

export interface Line {
  readonly item: HTMLLIElement
  draw(tone: Tone, text: Said): void
}

/** A line of a list of files: a name, and below it the state in words. */
export function lineOf(name: string | Said, tone: Tone, text: Said): Line {
  const item = made('li', '')
  const state = made('span', 'state')
  item.append(made('span', 'name', name), state)
  const draw = (tone: Tone, text: Said) => {
    item.dataset['state'] = tone
    write(state, text)
  }
  draw(tone, text)
  return { item, draw }
}

/** Lets screen readers say something, once they have finished the current sentence. */
export function announce(text: Said): void {
  setText('status', text)
}

/** A sentence in a card, once. @param place at the top of the page, unless another is named. */
export function notice(text: Said, place = 'notices'): HTMLElement {
  const notices = one(place, HTMLElement)
  const same = [...notices.querySelectorAll('p')].find(({ textContent }) => textContent === text())
  if (same !== undefined) return same
  const paragraph = made('p', 'card warn', text)
  paragraph.setAttribute('role', 'alert')
  notices.append(paragraph)
  return paragraph
}

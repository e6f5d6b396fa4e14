// The list of chosen pictures: a line for each, with its name, its state and buttons for what can be done.

import { lineOf, made, one, setLabel, type Tone } from '../dom.js'
import { type Said, say, sayShare } from '../messages.js'
import { hasClip, mayTryAgain, type Picture, protectedPart, WELL_PROTECTED_QUALITY } from './picture.js'

export interface RowActions {
  readonly remove: (id: number) => void
  readonly tryAgain: (id: number) => void
}

export interface Rows {
  draw(picture: Picture): void
  /** Moves the focus to the next line; otherwise it would be back at the top of the page. */
  remove(id: number): void
  /** Removes the line of a file for which others stand. The focus moves only if it was in that line. */
  replace(id: number): void
  clear(): void
}

export function rowsIn(listId: string, actions: RowActions): Rows {
  const list = one(listId, HTMLUListElement)
  const lines = new Map<number, ReturnType<typeof lineFor>>()

  return {
    draw(picture) {
      const line = lines.get(picture.id) ?? lineFor(picture)
      if (!lines.has(picture.id)) {
        lines.set(picture.id, line)
        list.append(line.item)
      }
      line.draw(toneOf(picture), sentenceOf(picture))
      line.again.hidden = !mayTryAgain(picture)
    },
    remove,
    replace(id) {
      const line = lines.get(id)
      if (line?.item.contains(document.activeElement)) remove(id)
      line?.item.remove()
      lines.delete(id)
    },
    clear() {
      list.replaceChildren()
      lines.clear()
    },
  }

  function remove(id: number): void {
    const line = lines.get(id)
    const next = line?.item.nextElementSibling ?? line?.item.previousElementSibling
    line?.item.remove()
    lines.delete(id)
    const target = next?.querySelector<HTMLElement>('button:not([hidden])') ?? one('files', HTMLInputElement)
    target.focus()
  }

  function lineFor(picture: Picture) {
    const { id, name } = picture
    const line = lineOf(name, toneOf(picture), sentenceOf(picture))
    const again = button(say('run.againShort'), say('run.again', { name }), () => actions.tryAgain(id))
    line.item.append(
      again,
      button(say('run.removeShort'), say('run.remove', { name }), () => actions.remove(id)),
    )
    return { ...line, again }
  }
}

function button(text: Said, label: Said, act: () => void): HTMLButtonElement {
  const element = made('button', 'quiet small', text)
  element.type = 'button'
  setLabel(element, label)
  element.addEventListener('click', act)
  return element
}

/** Where a picture stands, in words. */
export function sentenceOf({ state }: Picture): Said {
  if (state.at === 'refused') {
    const isNamed = state.why === 'not-a-picture' && state.what !== undefined
    return say(isNamed ? `run.what.${state.what}` : `run.why.${state.why}`)
  }
  if (state.at === 'upload' && state.because !== undefined) return say(`run.upload.${state.because}`)
  if (state.at === 'reading' && state.share !== undefined)
    return say('run.state.readSoFar', { share: sayShare(state.share) })
  if (state.at !== 'ready') return say(`run.state.${state.at}`)
  const part = protectedPart(state.hashed)
  if (part !== undefined) return say('run.quality.readyPart', { share: sayShare(part) })
  const quality = say(state.hashed.quality < WELL_PROTECTED_QUALITY ? 'run.quality.readyLow' : 'run.quality.ready')
  return hasClip(state.hashed) ? say('run.quality.clip', { quality }) : quality
}

function toneOf({ state: { at } }: Picture): Tone {
  if (at === 'ready' || at === 'agreed') return 'good'
  return at === 'refused' || at === 'upload' ? 'bad' : 'busy'
}

// Offers what an earlier page in this tab had read: the browser killed the tab, or it was loaded again.

import { made, one } from '../dom.js'
import { given } from '../given.js'
import { type Said, say, sayCount } from '../messages.js'
import type { EarlierRead, KeptHashes } from './kept-hashes.js'

/** @param takeBack puts the entries among the chosen pictures. @returns a function that removes the offer. */
export function offerKept(kept: KeptHashes, takeBack: (earlier: readonly EarlierRead[]) => void): () => void {
  const count = kept.earlier().length
  if (count === 0) return () => {}
  const card = made('section', 'card')
  card.id = 'kept-offer'
  const text = made('p', '', sayCount('run.kept', count))
  text.setAttribute('role', 'alert')
  card.append(text)
  if (given.offersExtendedProtection) card.append(made('p', 'hint', say('run.keptExtended')))
  const buttons = made('p', 'buttons')
  buttons.append(
    button('kept-go', 'main', say('run.keptGo'), () => {
      takeBack(kept.earlier()) // some may be too old by now
      card.replaceChildren(made('p', '', say('run.keptBack')))
    }),
    button('kept-no', 'quiet', say('run.keptNo'), () => {
      kept.discardEarlier()
      card.remove()
    }),
  )
  card.append(buttons)
  one('notices', HTMLElement).append(card)
  return () => card.remove()
}

function button(id: string, className: string, text: Said, act: () => void): HTMLButtonElement {
  const element = made('button', className, text)
  element.id = id
  element.type = 'button'
  element.addEventListener('click', act)
  return element
}

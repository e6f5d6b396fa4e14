// Leaving: at once when she wants to, and not by mistake.

import { notice } from './dom.js'
import { given } from './given.js'
import { say } from './messages.js'

/** Says whether leaving now would lose something. */
type Guard = () => boolean

let guard: Guard = () => false

export function guardLeaving(wouldLose: Guard): void {
  guard = wouldLose
}

/**
 * Quick exit by its link and by Escape, links of the page that leave one entry of history in all, and a page that comes back
 * empty from wherever the browser kept it.
 */
export function watchLeaving(): void {
  const leave = document.getElementById('leave')
  leave?.addEventListener('click', (event) => {
    event.preventDefault()
    exit()
  })
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.isComposing) exit() // while composing, Escape belongs to the input method
  })
  for (const link of document.querySelectorAll<HTMLAnchorElement>('header a, footer a, #follow')) {
    link.addEventListener('click', (event) => {
      event.preventDefault()
      location.replace(link.href)
    })
  }
  addEventListener('beforeunload', (event) => {
    if (!guard()) return
    event.preventDefault()
    setTimeout(() => notice(say('run.stillHere'))) // runs for those alone who stayed
  })
  addEventListener('pagehide', empty)
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload()
  })
}

function exit(): void {
  guard = () => false
  empty()
  location.replace(given.exitUrl)
}

function empty(): void {
  document.body.replaceChildren()
}

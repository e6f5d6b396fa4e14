// The button that leaves the page at once, and warnings against leaving by mistake.

import { forgetKeptIn } from './choosing/kept-hashes.js'
import { announce, notice, setText } from './dom.js'
import { takeHandedOn } from './following/handing-on.js'
import { given } from './given.js'
import { say, sayCount } from './messages.js'
import { leaveTo, wasLeft } from './steps.js'

/** Says whether leaving now would lose something. */
type Guard = () => boolean

const PRESSES_FOR_SECRETS = 3
let guard: Guard = () => false
let pressesNeeded = 1
let presses = 0

export function guardLeaving(wouldLose: Guard): void {
  guard = wouldLose
}

/** A number or PIN is shown only once, so one accidental press of Escape must not remove it. The button stays as quick as before. */
export function secretsAreShown(areShown: boolean): void {
  pressesNeeded = areShown ? PRESSES_FOR_SECRETS : 1
  restart()
}

/**
 * Installs the quick exit by its link and by Escape. Links of the page leave a single history entry. A page that the browser kept is empty, and
 * loads again when it is shown.
 * @returns whether there is a page to show: false when Forward led back to an entry that was left.
 */
export function watchLeaving(): boolean {
  if (wasLeft()) {
    empty()
    location.replace(given.exitUrl)
    return false
  }
  const leave = document.getElementById('leave')
  leave?.addEventListener('click', (event) => {
    event.preventDefault()
    exit()
  })
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') restart()
    else if (!event.isComposing && !event.repeat) press() // while composing, Escape belongs to the input method
  })
  addEventListener('pointerdown', restart)
  for (const link of document.querySelectorAll<HTMLAnchorElement>('footer a')) {
    link.addEventListener('click', (event) => {
      event.preventDefault()
      leaveFor(link.href)
    })
  }
  addEventListener('beforeunload', (event) => {
    if (!guard()) return
    event.preventDefault()
    setTimeout(() => {
      takeHandedOn() // runs for those alone who stayed
      notice(say('run.stillHere'))
    })
  })
  addEventListener('pagehide', empty)
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload()
  })
  return true
}

/** Goes to another page of ours, and asks before if something would be lost. Her steps here leave the history. */
export function leaveFor(url: string): void {
  if (guard()) location.replace(url)
  else void leaveTo(url)
}

function press(): void {
  presses++
  if (presses >= pressesNeeded) {
    exit()
    return
  }
  const text = sayCount('run.leaveMore', pressesNeeded - presses)
  setText('leave-hint', text)
  announce(text)
}

function restart(): void {
  presses = 0
  setText('leave-hint', pressesNeeded === 1 ? usualHint : say('run.leaveThrice'))
}

function usualHint(): string {
  return document.getElementById('leave-hint')?.dataset['usual'] ?? ''
}

function exit(): void {
  guard = () => false
  empty()
  forgetKeptIn(() => sessionStorage)
  takeHandedOn()
  void leaveTo(given.exitUrl)
}

function empty(): void {
  document.body.replaceChildren()
}

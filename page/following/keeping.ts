// More time, with the PIN: whoever still knows it may keep the pictures protected. And another PIN.

import { parsePin } from '../../src/domain/case.js'
import { api, type CaseView } from '../api.js'
import { announce, goTo, onClick, one, setText, staying } from '../dom.js'
import { say, sayDate } from '../messages.js'
import { newKey } from '../sending/sender.js'
import { type Asking, refuse, sentenceOf, untilAnswered } from './asking.js'

export function keeping(asking: Asking): { readonly draw: (view: CaseView, isOpen: boolean) => void } {
  const { access, lost, look } = asking
  /** The same for each try, so that a PIN whose answer was lost is given again. */
  let pinKey = ''
  one('renew', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void renew()
  })
  onClick('new-pin', () => {
    // The new PIN ends the token that they are sent with.
    if (asking.isSending()) return setText('renewed', say('run.case.pinWait'))
    setText('renewed', '')
    pinKey = newKey()
    forgetPin()
    goTo('new-pin')
  })
  onClick('pin-yes', () => void newPin())
  onClick('pin-done', () => void useNewPin())
  onClick('pin-no', () => {
    forgetPin()
    goTo('view')
    void asking.resume()
  })

  return {
    draw({ remindAt }, isOpen) {
      setText('view-remind', sayDate(remindAt))
      for (const id of ['remind-row', 'keeping']) one(id, HTMLElement).hidden = !isOpen
    },
  }

  async function renew(): Promise<void> {
    const own = access()
    const input = one('renew-pin', HTMLInputElement)
    const pin = parsePin(input.value)
    if (own === undefined) return
    setText('renewed', '')
    if (pin === undefined) return refuse('renew-error', say('run.case.pinForm'), 'renew-pin')
    setText('renew-error', '')
    const answer = await untilAnswered({
      buttons: [one('renew-go', HTMLButtonElement)],
      errorId: 'renew-error',
      ask: () => api.renew(own.caseNumber, pin),
      isWanted: () => access() === own && parsePin(input.value) === pin,
    })
    if (answer === undefined) return
    if ('failure' in answer) {
      const { failure } = answer
      const hasEnded = failure.kind === 'refused' && ['case-expired', 'case-withdrawn'].includes(failure.code)
      return hasEnded ? look() : refuse('renew-error', sentenceOf(failure), 'renew-pin')
    }
    input.value = ''
    const { expiresAt, remindAt } = answer.value
    const text = say('run.case.renewed', { date: sayDate(expiresAt), remind: sayDate(remindAt) })
    setText('renewed', text)
    announce(text)
    await look()
  }

  async function newPin(): Promise<void> {
    const own = access()
    if (own === undefined) return
    const answer = await untilAnswered({
      buttons: [one('pin-yes', HTMLButtonElement)],
      errorId: 'pin-error',
      ask: () => api.newPin(own, pinKey),
      isWanted: staying(),
    })
    if (answer === undefined) return
    if ('failure' in answer) return lost(answer.failure, 'pin-error')
    setText('pin-value', answer.value.pin)
    isShown(true)
    announce(say('run.case.pinShown'))
  }

  /** Its first use ends the old PIN, and the token: so she has seen it, and has written it down. */
  async function useNewPin(): Promise<void> {
    const own = access()
    const pin = one('pin-value', HTMLElement).textContent
    if (own === undefined) return
    asking.pause()
    const answer = await untilAnswered({
      buttons: [one('pin-done', HTMLButtonElement)],
      errorId: 'pin-error',
      ask: () => api.token(own.caseNumber, pin),
      isWanted: staying(),
    })
    if (answer === undefined) return
    if ('failure' in answer && answer.failure.kind === 'fault') return lost(answer.failure, 'pin-error')
    if ('failure' in answer && answer.failure.kind === 'refused' && answer.failure.code === 'case-unknown') {
      pinKey = newKey()
      forgetPin()
      return setText('pin-error', say('run.case.pinReplaced'))
    }
    if ('value' in answer) own.token = answer.value.token
    const text = 'value' in answer ? say('run.case.pinHolds') : `${sentenceOf(answer.failure)} ${say('run.case.pinBoth')}`
    forgetPin()
    await asking.resume()
    setText('renewed', text)
    one('renewed', HTMLElement).scrollIntoView({ block: 'center' }) // which PIN holds is what she has to know now
    announce(text)
  }
}

/** It is shown once, and stays in the page no longer than it is shown. */
function forgetPin(): void {
  setText('pin-value', '')
  setText('pin-error', '')
  isShown(false)
}

function isShown(shown: boolean): void {
  for (const id of ['pin-shown', 'pin-both', 'pin-done']) one(id, HTMLElement).hidden = !shown
  for (const id of ['pin-lead', 'pin-yes', 'pin-no']) one(id, HTMLElement).hidden = shown
}

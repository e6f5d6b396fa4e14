// More time, with the PIN: whoever still knows it may keep the pictures protected. And another PIN.

import { parsePin } from '../../src/domain/case.js'
import { api, type CaseView } from '../api.js'
import { announce, goTo, onClick, one, setText } from '../dom.js'
import { say, sayDate } from '../messages.js'
import { type Asking, refuse, sentenceOf, whileDisabled } from './asking.js'

export function keeping({ access, lost, look }: Asking): { readonly draw: (view: CaseView, isOpen: boolean) => void } {
  one('renew', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void renew()
  })
  onClick('new-pin', () => {
    forgetPin()
    goTo('new-pin')
  })
  onClick('pin-yes', () => void newPin())
  for (const id of ['pin-no', 'pin-done'])
    onClick(id, () => {
      forgetPin()
      goTo('view')
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
    const answer = await whileDisabled('renew-go', () => api.renew(own.caseNumber, pin))
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
    const answer = await whileDisabled('pin-yes', () => api.newPin(own))
    if ('failure' in answer) return lost(answer.failure, 'pin-error')
    setText('pin-value', answer.value.pin)
    isShown(true)
    announce(say('run.case.pinShown'))
  }
}

/** It is shown once, and stays in the page no longer than it is shown. */
function forgetPin(): void {
  setText('pin-value', '')
  setText('pin-error', '')
  isShown(false)
}

function isShown(shown: boolean): void {
  for (const id of ['pin-shown', 'pin-done']) one(id, HTMLElement).hidden = !shown
  for (const id of ['pin-yes', 'pin-no']) one(id, HTMLElement).hidden = shown
}

// More time. And another PIN with another recovery code.

import { api, type CaseView, type GivenPin } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { secretsAreShown } from '../leaving.js'
import { say, sayDate } from '../messages.js'
import { inGroups, offerToKeep } from '../number-and-pin.js'
import { newKey } from '../sending/sender.js'
import { goTo, staying } from '../steps.js'
import { type Asking, sentenceOf, untilAnswered } from './asking.js'

export function keeping(asking: Asking): { readonly draw: (view: CaseView, isOpen: boolean) => void } {
  const { access, lost, look } = asking
  /** The same for each try, so that a PIN whose answer was lost is given again. */
  let pinKey = ''
  /** Shown once; it stays in the page no longer than it is shown. */
  let shown: GivenPin | undefined
  offerToKeep(() => ({
    caseNumber: access()?.caseNumber ?? '',
    pin: shown?.pin ?? null,
    recoveryCode: shown?.recoveryCode ?? '',
  }))
  onClick('renew-go', () => void renew())
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

  function forgetPin(): void {
    shown = undefined
    for (const id of ['pin-value', 'code-value', 'pin-error', 'kept']) setText(id, '')
    isShown(false)
  }

  async function renew(): Promise<void> {
    const own = access()
    if (own === undefined) return
    for (const id of ['renewed', 'renew-error']) setText(id, '')
    const answer = await untilAnswered({
      buttons: [one('renew-go', HTMLButtonElement)],
      errorId: 'renew-error',
      ask: () => api.renew(own),
      isWanted: () => access() === own,
    })
    if (answer === undefined) return
    if ('failure' in answer) {
      const { failure } = answer
      const hasEnded = failure.kind === 'refused' && ['case-expired', 'case-withdrawn'].includes(failure.code)
      return hasEnded ? look() : lost(failure, 'renew-error')
    }
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
    const { pin, recoveryCode } = answer.value
    shown = answer.value
    setText('pin-number', own.caseNumber)
    setText('pin-value', pin ?? '')
    setText('code-value', inGroups(recoveryCode))
    isShown(true)
    one('pin-row', HTMLElement).hidden = pin === null
    announce(say('run.case.pinShown'))
  }

  /**
   * Its first use ends the old PIN, and the token: so she has seen it, and has written it down. The code is used, since it opens the case
   * also when no PIN does.
   */
  async function useNewPin(): Promise<void> {
    const [own, recoveryCode] = [access(), shown?.recoveryCode]
    if (own === undefined || recoveryCode === undefined) return
    asking.pause()
    const answer = await untilAnswered({
      buttons: [one('pin-done', HTMLButtonElement)],
      errorId: 'pin-error',
      ask: () => api.token(own.caseNumber, recoveryCode),
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

function isShown(shown: boolean): void {
  secretsAreShown(shown)
  for (const id of ['pin-shown', 'pin-both', 'pin-done', 'keep']) one(id, HTMLElement).hidden = !shown
  for (const id of ['pin-lead', 'pin-yes', 'pin-no']) one(id, HTMLElement).hidden = shown
}

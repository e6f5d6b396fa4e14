// Renews a case, and replaces its PIN and recovery code.

import { newKey } from '../../src/domain/random-key.js'
import { api, type CaseTimes, type CaseView, type GivenPin } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { secretsAreShown } from '../leaving.js'
import { type Said, say, sayDate } from '../messages.js'
import { inGroups, offerToKeep } from '../number-and-pin.js'
import { goTo, stillOnStep } from '../steps.js'
import { type CaseContext, requestUntilAnswered, sentenceForCase } from './case-requests.js'

export function createRenewal(context: CaseContext): { readonly draw: (view: CaseView, isOpen: boolean) => void } {
  onClick('renew-go', () => void renew(context))
  let times: CaseTimes = { expiresAt: '', remindAt: '' }
  listenForNewPin(context, () => times)
  return {
    draw({ expiresAt, remindAt, endsAt }, isOpen) {
      times = { expiresAt, remindAt }
      setText('view-remind', sayDate(remindAt))
      one('keeping', HTMLElement).hidden = !isOpen
      // A case that somebody wished to end does not last longer by renewing it.
      for (const id of ['remind-row', 'renew-go']) one(id, HTMLElement).hidden = !isOpen || endsAt !== null
    },
  }
}

async function renew({ access, onFailure, refresh }: CaseContext): Promise<void> {
  const own = access()
  if (own === undefined) return
  for (const id of ['renewed', 'renew-error']) setText(id, '')
  const answer = await requestUntilAnswered({
    buttons: [one('renew-go', HTMLButtonElement)],
    errorId: 'renew-error',
    send: () => api.renew(own),
    isWanted: () => access() === own,
  })
  if (answer === undefined) return
  if ('failure' in answer) {
    const { failure } = answer
    const hasEnded = failure.kind === 'rejected' && ['case-expired', 'case-withdrawn'].includes(failure.code)
    return hasEnded ? refresh() : onFailure(failure, 'renew-error')
  }
  const { expiresAt, remindAt } = answer.value
  const text = say('run.case.renewed', { date: sayDate(expiresAt), remind: sayDate(remindAt) })
  setText('renewed', text)
  announce(text)
  await refresh()
}

/** The step that issues another PIN and recovery code. */
function listenForNewPin(context: CaseContext, times: () => CaseTimes): void {
  const { access, onFailure } = context
  /** The same key for each try, so that a lost answer is repeated with the same PIN. */
  let pinKey = ''
  /** Kept in the page only while it is shown. */
  let shown: GivenPin | undefined
  offerToKeep(() => ({
    caseNumber: access()?.caseNumber ?? '',
    pin: shown?.pin ?? null,
    recoveryCode: shown?.recoveryCode ?? '',
    effectiveAt: shown?.effectiveAt ?? null,
    times: times(),
  }))
  onClick('new-pin', () => {
    // The new PIN ends the token that the pictures are sent with.
    if (context.isSending()) return setText('renewed', say('run.case.pinWait'))
    setText('renewed', '')
    pinKey = newKey()
    forgetPin()
    goTo('new-pin')
  })
  onClick('pin-yes', () => void newPin())
  onClick('pin-done', () => void useNewPin())
  for (const id of ['pin-no', 'pin-written']) onClick(id, () => void leave())
  function forgetPin(): void {
    shown = undefined
    clearPin()
  }

  function leave(): Promise<void> {
    forgetPin()
    goTo('view')
    return context.resume()
  }

  async function newPin(): Promise<void> {
    const own = access()
    if (own === undefined) return
    const answer = await requestUntilAnswered({
      buttons: [one('pin-yes', HTMLButtonElement)],
      errorId: 'pin-error',
      send: () => api.newPin(own, pinKey),
      isWanted: stillOnStep(),
    })
    if (answer === undefined) return
    if ('failure' in answer) return onFailure(answer.failure, 'pin-error')
    shown = answer.value
    drawPin(own.caseNumber, answer.value)
  }

  /**
   * The first use of the new PIN or code ends the old PIN and the token. So it is used only once the submitter says that both are written down.
   * Uses the code, because it opens the case even when no PIN does.
   */
  async function useNewPin(): Promise<void> {
    const [own, recoveryCode] = [access(), shown?.recoveryCode]
    if (own === undefined || recoveryCode === undefined) return
    context.pause()
    const answer = await requestUntilAnswered({
      buttons: [one('pin-done', HTMLButtonElement)],
      errorId: 'pin-error',
      send: () => api.token(own.caseNumber, recoveryCode),
      isWanted: stillOnStep(),
    })
    if (answer === undefined) return
    if ('failure' in answer && answer.failure.kind === 'fault') return onFailure(answer.failure, 'pin-error')
    if ('failure' in answer && answer.failure.kind === 'rejected' && answer.failure.code === 'case-unknown') {
      pinKey = newKey()
      forgetPin()
      return setText('pin-error', say('run.case.pinReplaced'))
    }
    if ('value' in answer) own.token = answer.value.token
    const text = 'value' in answer ? say('run.case.pinHolds') : stillBoth(sentenceForCase(answer.failure))
    forgetPin()
    await context.resume()
    setText('renewed', text)
    one('renewed', HTMLElement).scrollIntoView({ block: 'center' }) // the submitter must know now which PIN is valid
    announce(text)
  }
}

function clearPin(): void {
  for (const id of ['pin-value', 'code-value', 'pin-from', 'pin-error', 'kept']) setText(id, '')
  isShown(false)
}

/** Whether the new PIN was used is not known. */
function stillBoth(why: Said): Said {
  return () => `${why()} ${say('run.case.pinBoth')()}`
}

function drawPin(caseNumber: string, { pin, recoveryCode, effectiveAt }: GivenPin): void {
  setText('pin-number', caseNumber)
  setText('pin-value', pin ?? '')
  setText('code-value', inGroups(recoveryCode))
  const from = effectiveAt === null ? [] : [say('run.case.newPinFrom', { date: sayDate(effectiveAt) })]
  const blocked = pin === null ? [say('run.event.pin-blocked'), say('run.case.pinShown')] : [] // then no old PIN opens it either
  setText('pin-from', () => [...from, ...blocked].map((text) => text()).join(' '))
  isShown(true)
  const isLater = effectiveAt !== null // asked for with the PIN: they open nothing yet, and the old ones do not end
  one('pin-both', HTMLElement).hidden = isLater || pin === null
  one('pin-done', HTMLElement).hidden = isLater
  one('pin-written', HTMLElement).hidden = !isLater
  one('pin-row', HTMLElement).hidden = pin === null
  announce(say('run.case.pinShown'))
}

function isShown(shown: boolean): void {
  secretsAreShown(shown)
  for (const id of ['pin-shown', 'pin-both', 'pin-done', 'keep']) one(id, HTMLElement).hidden = !shown
  for (const id of ['pin-lead', 'pin-yes', 'pin-no']) one(id, HTMLElement).hidden = shown
  one('pin-written', HTMLElement).hidden = true
}

// What was wished without the recovery code, and the form that stops it with the code; pausing recognition, and resuming it.

import { isRecoveryCode, parsePin } from '../../src/domain/cases/case.js'
import { type Access, api, type CaseView } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { type Said, say, sayDate } from '../messages.js'
import type { Answer } from '../sending/requests.js'
import { type CaseContext, requestUntilAnswered, sentenceForCase, showFieldError } from './case-requests.js'
import { noteOwnMistake } from './time-line.js'

export function createWishes(context: CaseContext): { readonly draw: (view: CaseView, isOpen: boolean) => void } {
  onClick('pause', () => void change(context, 'pause', api.pause, say('run.case.paused')))
  onClick('resume', () => void change(context, 'resume', api.resume, say('run.case.resumed')))
  one('wishes-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void stop(context)
  })
  return {
    draw({ endsAt, newPinFrom, pausedUntil, withdrawnAt }, isOpen) {
      one('wishes', HTMLElement).hidden = endsAt === null && newPinFrom === null
      setText('wish-end', endsAt === null ? '' : say('run.case.endsAt', { date: sayDate(endsAt) }))
      setText('wish-pin', newPinFrom === null ? '' : say('run.case.newPinFrom', { date: sayDate(newPinFrom) }))
      const paused = pausedUntil === null ? '' : say('run.case.pausedUntil', { date: sayDate(pausedUntil) })
      setText('paused', withdrawnAt === null ? paused : say('run.case.withdrawn'))
      one('pause', HTMLElement).hidden = !isOpen || pausedUntil !== null
      one('resume', HTMLElement).hidden = pausedUntil === null
    },
  }
}

async function change(
  { access, onFailure, refresh }: CaseContext,
  button: 'pause' | 'resume',
  send: (own: Access) => Promise<Answer<unknown>>,
  done: Said,
): Promise<void> {
  const own = access()
  if (own === undefined) return
  const answer = await requestUntilAnswered({
    buttons: [one(button, HTMLButtonElement)],
    errorId: 'view-error',
    send: () => send(own),
    isWanted: () => access() === own,
  })
  if (answer === undefined) return
  if ('failure' in answer) return onFailure(answer.failure, 'view-error')
  announce(done)
  await refresh()
}

/** Opens the case with the code: the token that the page has from then on may stop wishes. */
async function stop({ access, onFailure, refresh }: CaseContext): Promise<void> {
  const own = access()
  if (own === undefined) return
  const field = one('wishes-code', HTMLInputElement)
  const code = parsePin(field.value)
  if (code === undefined || !isRecoveryCode(code))
    return showFieldError('wishes-error', say('run.case.codeForm'), 'wishes-code')
  const shared = {
    buttons: [one('wishes-stop', HTMLButtonElement)],
    errorId: 'wishes-error',
    isWanted: () => access() === own,
  }
  const opened = await requestUntilAnswered({ ...shared, send: () => api.token(own.caseNumber, code) })
  if (opened === undefined) return
  if ('failure' in opened) {
    const isWrong = opened.failure.kind === 'rejected'
    if (isWrong) noteOwnMistake(own.caseNumber)
    const text = isWrong ? say('run.case.codeWrong') : sentenceForCase(opened.failure)
    return showFieldError('wishes-error', text, 'wishes-code')
  }
  own.token = opened.value.token
  field.value = ''
  const answer = await requestUntilAnswered({ ...shared, send: () => api.stopWishes(own) })
  if (answer === undefined) return
  if ('failure' in answer) return onFailure(answer.failure, 'wishes-error')
  announce(say('run.case.wishesStopped'))
  await refresh()
  setText('renewed', say('run.case.wishesStopped'))
  one('renewed', HTMLElement).scrollIntoView({ block: 'center' }) // the form that she pressed is gone, and the next button is there
}

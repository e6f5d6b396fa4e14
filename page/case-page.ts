// Her page: what is registered, by number and PIN; adding pictures; taking everything back.

import { parseCaseNumber, parsePin } from '../src/domain/cases/case.js'
import { BEFORE_ALL_EVENTS } from '../src/domain/cases/case-event.js'
import { type Access, api, type CaseFile, type CaseView, type Failure } from './api.js'
import { chosenCategory } from './category.js'
import { type Picker, picker } from './choosing/picker.js'
import { announce, onClick, one, setText, show } from './dom.js'
import { type Asking, refuse, sentenceOf, untilAnswered } from './following/case-requests.js'
import { papers } from './following/downloads.js'
import { follow } from './following/follow-case.js'
import { notices } from './following/notice-form.js'
import { pictures } from './following/pictures.js'
import { keeping } from './following/renewal.js'
import { addToTimeLine, drawTimeLine } from './following/time-line.js'
import { given } from './given.js'
import { guardLeaving } from './leaving.js'
import { say, sayCount, sayDate } from './messages.js'
import { type Sending, sending } from './sending/sending.js'
import { goTo, isAt, staying, watchSteps } from './steps.js'

/** Her page, from entering number and PIN until it is closed. */
interface Visit {
  /** In memory alone: whoever finds the device later finds no token. */
  access: Access | undefined
  sent: Sending | undefined
  stopFollowing: () => void
  isExtended: boolean
  /** Counts requests: of two answers the older one may come last. */
  asked: number
  /** Draws all that her page shows of a case. */
  draw: (file: CaseFile) => void
}

export function casePage(): void {
  const visit: Visit = {
    access: undefined,
    sent: undefined,
    stopFollowing: () => {},
    isExtended: false,
    asked: 0,
    draw: () => {},
  }
  const goOn = () => {
    setText('protect', sayCount('run.protect', chosen.usable().length))
    goTo('category')
  }
  const chosen = picker(goOn, () => (visit.isExtended ? 'details' : 'hashes'))
  visit.draw = drawing(visit)
  watchSteps((wanted) => {
    if (visit.access === undefined) return 'enter'
    if (wanted === 'enter') close(visit)
    if (wanted === 'view') void look(visit)
    return wanted === 'category' && chosen.usable().length === 0 ? 'choose' : wanted
  })
  guardLeaving(() => visit.sent?.isUnfinished() === true || chosen.holdsPictures())

  show('enter')
  one('enter', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void enter(visit)
  })
  onClick('close', () => close(visit))
  onClick('add', () => {
    visit.stopFollowing() // until she is back: nothing may lead her away from what she has chosen
    visit.asked++
    goTo('choose')
  })
  for (const id of ['back', 'fix']) onClick(id, () => goTo('choose'))
  onClick('protect', () => addChosen(visit, chosen))
  onClick('added-done', () => void look(visit))
  onClick('withdraw', () => goTo('withdraw'))
  onClick('withdraw-no', () => {
    goTo('view')
    void look(visit) // it may have been done, and its answer was lost
  })
  onClick('withdraw-yes', () => void withdraw(visit))
}

/** The parts of her page that ask by themselves. @returns what draws them all. */
function drawing(visit: Visit): (file: CaseFile) => void {
  const access = () => visit.access
  const paper = papers({ access, lost: (failure) => lost(visit, failure, 'view-error') })
  const asking: Asking = {
    access,
    lost: (failure, errorId) => lost(visit, failure, errorId),
    look: async () => void (await refresh(visit)),
    pause: () => visit.stopFollowing(),
    resume: () => look(visit),
    isSending: () => visit.sent?.isUnfinished() === true,
  }
  const kept = keeping(asking)
  const notice = notices(asking)
  const registered = pictures(asking)
  return (file) => {
    const { case: view, events, images } = file
    draw(view)
    registered.draw(images)
    drawTimeLine(events)
    paper.draw(file)
    kept.draw(view, isOpen(view))
    void notice.draw(isOpen(view))
  }
}

async function enter(visit: Visit): Promise<void> {
  const [caseNumber, pin] = [typedNumber(), typedPin()]
  if (caseNumber === undefined) return refuse('enter-error', say('run.case.numberForm'), 'case-number')
  if (pin === undefined) return refuse('enter-error', say('run.case.pinForm'), 'case-pin')
  setText('enter-error', '')
  visit.access = undefined
  const answer = await untilAnswered({
    buttons: [one('open', HTMLButtonElement)],
    errorId: 'enter-error',
    ask: () => api.token(caseNumber, pin),
    isWanted: () => visit.access === undefined && typedPin() === pin && typedNumber() === caseNumber,
  })
  if (answer === undefined) return setText('enter-error', '')
  if ('failure' in answer) return refuse('enter-error', sentenceOf(answer.failure), 'case-pin')
  one('case-pin', HTMLInputElement).value = ''
  visit.access = { caseNumber, token: answer.value.token }
  await look(visit)
}

async function look(visit: Visit): Promise<void> {
  const lastId = await refresh(visit)
  if (lastId === undefined || visit.access === undefined) return
  goTo('view')
  visit.stopFollowing()
  visit.stopFollowing = follow(visit.access, lastId, {
    happened: (event) => {
      addToTimeLine(event)
      void refresh(visit)
    },
    refused: (failure) => lost(visit, failure, 'view-error'),
  })
}

/** Goes on until it is answered. @returns the id of the last event that is drawn; `undefined` when there is nothing to draw. */
async function refresh(visit: Visit): Promise<string | undefined> {
  const own = visit.access
  if (own === undefined) return undefined
  const { token } = own
  const wanted = ++visit.asked
  const errorId = errorHere()
  const answer = await untilAnswered({
    buttons: isAt('enter') ? [one('open', HTMLButtonElement)] : [],
    errorId,
    ask: () => api.file(own),
    isWanted: () => visit.access === own && wanted === visit.asked,
    isReading: true,
  })
  if (answer === undefined) return undefined
  if ('failure' in answer) {
    if (own.token !== token) return refresh(visit) // she changed the PIN meanwhile
    lost(visit, answer.failure, errorId)
    return undefined
  }
  const { case: view, events } = answer.value
  visit.isExtended = view.extendedProtection && given.offersExtendedProtection
  visit.draw(answer.value)
  return events.at(-1)?.id ?? BEFORE_ALL_EVENTS
}

function addChosen(visit: Visit, chosen: Picker): void {
  const { access } = visit
  if (access === undefined) return
  goTo('added', 'view')
  const job = { access, pictures: chosen.usable(), category: chosenCategory() }
  visit.sent = sending({ ...job, maxImageBytes: given.maxImageBytes }, chosen.leftOver(), () => chosen.clear())
}

async function withdraw(visit: Visit): Promise<void> {
  const own = visit.access
  if (own === undefined) return
  visit.stopFollowing() // what she does herself is told once
  const answer = await untilAnswered({
    buttons: [one('withdraw-yes', HTMLButtonElement)],
    errorId: 'withdraw-error',
    ask: () => api.withdraw(own),
    isWanted: staying(),
  })
  if (answer === undefined) return
  if ('failure' in answer) return lost(visit, answer.failure, 'withdraw-error')
  announce(say('run.case.withdrawn'))
  await look(visit)
}

/** Asks for another token when this one has expired. Shows any other problem in the step at hand. */
function lost(visit: Visit, failure: Failure, errorId: string): void {
  if (failure.kind === 'rejected') {
    close(visit)
    setText('enter-error', say('run.case.over'))
  } else {
    setText(errorId, sentenceOf(failure))
  }
}

function close(visit: Visit): void {
  visit.stopFollowing()
  visit.access = undefined
  one('enter', HTMLFormElement).reset()
  goTo('enter')
}

/** Where she is: what stands in another step is not seen. */
function errorHere(): string {
  return document.querySelector('[data-step]:not([hidden]) .error')?.id ?? 'view-error'
}

function typedNumber(): string | undefined {
  return parseCaseNumber(one('case-number', HTMLInputElement).value)
}

function typedPin(): string | undefined {
  return parsePin(one('case-pin', HTMLInputElement).value)
}

function isOpen({ state }: CaseView): boolean {
  return state === 'open' || state === 'active'
}

function draw(view: CaseView): void {
  const { caseNumber, state, category, createdAt, expiresAt, withdrawnAt, expiredAt } = view
  setText('view-error', '')
  setText('view-number', caseNumber)
  setText('view-state', say(`run.caseState.${state}`))
  setText('view-category', category === null ? say('run.case.none') : nameOf(category))
  setText('view-created', sayDate(createdAt))
  setText('view-expires', sayDate(expiresAt))
  setText('view-withdrawn', withdrawnAt === null ? '' : sayDate(withdrawnAt))
  one('withdrawn-row', HTMLElement).hidden = withdrawnAt === null
  setText('view-ended', expiredAt === null ? '' : sayDate(expiredAt))
  one('ended-row', HTMLElement).hidden = expiredAt === null
  one('expires-row', HTMLElement).hidden = !isOpen(view)
  for (const id of ['add', 'withdraw']) one(id, HTMLElement).hidden = !isOpen(view)
}

function nameOf(category: string): string {
  const names = one('category-names', HTMLTemplateElement).content
  return names.querySelector(`[data-category="${category}"]`)?.textContent ?? category
}

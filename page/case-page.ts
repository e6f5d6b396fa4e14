// The case page: opened with number and PIN, it shows what is registered, adds pictures and withdraws the case.

import { parseCaseNumber, parsePin } from '../src/domain/cases/case.js'
import { BEFORE_ALL_EVENTS } from '../src/domain/cases/case-event.js'
import { type Access, api, type CaseFile, type CaseView, type RegisteredPicture } from './api.js'
import { chosenCategory } from './choosing/category.js'
import { maxBytes } from './choosing/max-bytes.js'
import { type Picker, picker } from './choosing/picker.js'
import { kindOf } from './choosing/picture.js'
import { announce, onClick, one, setText, show } from './dom.js'
import { countKinds, sayFiles } from './file-counts.js'
import { sayAsking } from './following/asking.js'
import { type CaseContext, requestUntilAnswered, sentenceForCase, showFieldError } from './following/case-requests.js'
import { createDownloads } from './following/downloads.js'
import { follow } from './following/follow-case.js'
import { createNoticeForm } from './following/notice-form.js'
import { createRegisteredList } from './following/pictures.js'
import { createReader } from './following/reader.js'
import { createRenewal } from './following/renewal.js'
import { addToTimeLine, drawTimeLine, noteOwnMistake } from './following/time-line.js'
import { createWishes } from './following/wish-panel.js'
import { given } from './given.js'
import { guardLeaving } from './leaving.js'
import { type Said, say, sayDate } from './messages.js'
import type { Failure } from './sending/requests.js'
import { type Sending, sending } from './sending/sending.js'
import { goTo, isAt, stillOnStep, watchSteps } from './steps.js'

/** State of the page from entering number and PIN until the case is closed. */
interface Visit {
  /** Kept in memory only, so that the device holds no token afterwards. */
  access: Access | undefined
  sent: Sending | undefined
  stopFollowing: () => void
  isExtended: boolean
  /** Number of the latest request. Answers to older ones are ignored, since they may arrive later. */
  asked: number
  /** Draws all panels. */
  draw: (file: CaseFile) => void
}

/** @param handedOn her case, if she comes from opening it. */
export function casePage(handedOn: Access | undefined): void {
  const visit: Visit = {
    access: undefined,
    sent: undefined,
    stopFollowing: () => {},
    isExtended: false,
    asked: 0,
    draw: () => {},
  }
  const goOn = () => {
    setText('protect', sayFiles('run.protect', countKinds(chosen.usable().map(kindOf))))
    goTo('category')
  }
  const chosen = picker(goOn, () => (visit.isExtended ? 'details' : 'hashes'))
  visit.draw = createPanels(visit)
  watchSteps((wanted) => {
    if (visit.access === undefined) return 'enter'
    if (wanted === 'enter') close(visit)
    if (wanted === 'view') void openView(visit)
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
    visit.stopFollowing() // an event would draw the view over what is being chosen
    visit.asked++
    goTo('choose')
  })
  for (const id of ['back', 'fix']) onClick(id, () => goTo('choose'))
  onClick('protect', () => addChosen(visit, chosen))
  onClick('added-done', () => void openView(visit))
  onClick('withdraw', () => goTo('withdraw'))
  onClick('withdraw-no', () => {
    goTo('view')
    void openView(visit) // it may have been done, and its answer was lost
  })
  onClick('withdraw-yes', () => void withdraw(visit))

  visit.access = handedOn
  if (visit.access !== undefined) void openView(visit)
}

/** Creates the panels that send requests of their own. @returns a function that draws them all. */
function createPanels(visit: Visit): (file: CaseFile) => void {
  const access = () => visit.access
  const paper = createDownloads({ access, onFailure: (failure) => showFailure(visit, failure, 'papers-error') })
  const context: CaseContext = {
    access,
    onFailure: (failure, errorId) => showFailure(visit, failure, errorId),
    refresh: async () => void (await refresh(visit)),
    pause: () => visit.stopFollowing(),
    resume: () => openView(visit),
    isSending: () => visit.sent?.isUnfinished() === true,
  }
  const kept = createRenewal(context)
  const reader = createReader(context)
  const wishes = createWishes(context)
  const notice = createNoticeForm(context)
  const registered = createRegisteredList(context)
  return (file) => {
    const { case: view } = file
    const images = isOpen(view) ? file.images : [] // for a moment an expired case still lists them
    draw({ ...file, images })
    registered.draw(images)
    drawTimeLine(file)
    paper.draw(file)
    reader.draw(view)
    wishes.draw(view, isOpen(view))
    kept.draw(view, isOpen(view))
    void notice.draw(isOpen(view))
  }
}

async function enter(visit: Visit): Promise<void> {
  const [caseNumber, pin] = [typedNumber(), typedPin()]
  if (caseNumber === undefined) return showFieldError('enter-error', say('run.case.numberForm'), 'case-number')
  if (pin === undefined) return showFieldError('enter-error', say('run.case.pinForm'), 'case-pin')
  setText('enter-error', '')
  visit.access = undefined
  const answer = await requestUntilAnswered({
    buttons: [one('open', HTMLButtonElement)],
    errorId: 'enter-error',
    send: () => api.token(caseNumber, pin),
    isWanted: () => visit.access === undefined && typedPin() === pin && typedNumber() === caseNumber,
  })
  if (answer === undefined) return setText('enter-error', '')
  if ('failure' in answer) {
    if (answer.failure.kind === 'rejected') noteOwnMistake(caseNumber)
    return showFieldError('enter-error', sentenceForCase(answer.failure), 'case-pin')
  }
  one('case-pin', HTMLInputElement).value = ''
  visit.access = { caseNumber, token: answer.value.token }
  await openView(visit)
}

async function openView(visit: Visit): Promise<void> {
  const isStill = stillOnStep()
  const lastId = await refresh(visit)
  if (lastId === undefined || visit.access === undefined) return
  // Or a question that she opened meanwhile would close, and what she has scrolled to would jump away.
  if (isStill() && !isAt('view')) goTo('view')
  visit.stopFollowing()
  visit.stopFollowing = follow(visit.access, lastId, {
    happened: (event) => {
      addToTimeLine(event)
      void refresh(visit)
    },
    refused: (failure) => showFailure(visit, failure, 'view-error'),
  })
}

/** Repeats the request until it is answered. @returns the id of the last event that is drawn; `undefined` when there is nothing to draw. */
async function refresh(visit: Visit): Promise<string | undefined> {
  const own = visit.access
  if (own === undefined) return undefined
  const { token } = own
  const wanted = ++visit.asked
  const errorId = errorHere()
  const answer = await requestUntilAnswered({
    buttons: isAt('enter') ? [one('open', HTMLButtonElement)] : [],
    errorId,
    send: () => api.file(own),
    isWanted: () => visit.access === own && wanted === visit.asked,
    isReadOnly: true,
  })
  if (answer === undefined) return undefined
  if ('failure' in answer) {
    if (own.token !== token) return refresh(visit) // the PIN was changed meanwhile
    showFailure(visit, answer.failure, errorId)
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
  visit.sent = sending({ ...job, maxBytes: maxBytes() }, chosen.unprotected(), {
    settled: chosen.settled,
    finished: () => chosen.clear(),
  })
}

async function withdraw(visit: Visit): Promise<void> {
  const own = visit.access
  if (own === undefined) return
  visit.stopFollowing() // or the withdrawal would be announced twice
  const answer = await requestUntilAnswered({
    buttons: [one('withdraw-yes', HTMLButtonElement)],
    errorId: 'withdraw-error',
    send: () => api.withdraw(own),
    isWanted: stillOnStep(),
  })
  if (answer === undefined) return
  if ('failure' in answer) return showFailure(visit, answer.failure, 'withdraw-error')
  const { effectiveAt } = answer.value
  announce(effectiveAt === undefined ? say('run.case.withdrawn') : say('run.case.endsAt', { date: sayDate(effectiveAt) }))
  await openView(visit)
}

/** Asks for number and PIN again when the token was rejected. Shows any other problem in the current step. */
function showFailure(visit: Visit, failure: Failure, errorId: string): void {
  if (failure.kind === 'rejected') {
    close(visit)
    setText('enter-error', say('run.case.over'))
  } else {
    setText(errorId, sentenceForCase(failure))
  }
}

function close(visit: Visit): void {
  visit.stopFollowing()
  visit.access = undefined
  one('enter', HTMLFormElement).reset()
  for (const id of ['renewed', 'papers-said', 'papers-error']) setText(id, '')
  goTo('enter')
}

/** The error element of the step that is shown. */
function errorHere(): string {
  if (isAt('view')) return 'view-error'
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

function draw({ case: view, images: pictures, platformsAsking }: CaseFile): void {
  const { caseNumber, category, createdAt, expiresAt, endsAt, withdrawnAt, expiredAt } = view
  for (const id of ['view-error', 'answer-error']) setText(id, '')
  setText('view-number', caseNumber)
  setText('view-state', stateOf(view, pictures))
  setText('view-asking', sayAsking(platformsAsking, given.platformNames))
  one('view-asking', HTMLElement).hidden = !pictures.some(({ matching }) => matching)
  setText('view-category', category === null ? say('run.case.none') : () => nameOf(category))
  setText('view-created', sayDate(createdAt))
  setText('view-expires', sayDate(endsAt ?? expiresAt))
  setText('view-withdrawn', withdrawnAt === null ? '' : sayDate(withdrawnAt))
  one('withdrawn-row', HTMLElement).hidden = withdrawnAt === null
  setText('view-ended', expiredAt === null ? '' : sayDate(expiredAt))
  one('ended-row', HTMLElement).hidden = expiredAt === null
  one('expires-row', HTMLElement).hidden = !isOpen(view)
  for (const id of ['add', 'withdraw']) one(id, HTMLElement).hidden = !isOpen(view)
}

/** Not only that the case is active: a picture that is held, or was judged not to belong here, is not protected. */
function stateOf({ state }: CaseView, pictures: readonly RegisteredPicture[]): Said {
  const [total, done] = [pictures.length, pictures.filter(({ matching }) => matching).length]
  if (state !== 'active' || done === total) return say(`run.caseState.${state}`)
  return done === 0 ? say('run.noneProtected') : say('run.partProtected', { done, total, n: total - done })
}

function nameOf(category: string): string {
  const names = one('category-names', HTMLTemplateElement).content
  return names.querySelector(`[data-category="${category}"]`)?.textContent ?? category
}

// What happened to a case, in sentences; the newest first.

import type { CaseEvent, CaseFile } from '../api.js'
import { announce, made, one } from '../dom.js'
import { type Said, say, sayCount, sayMoment } from '../messages.js'
import { sayBucket } from './asking.js'

/** After this time without a match the time line says that silence is usual, and what to look at. */
const QUIET_AFTER_MS = 14 * 86_400_000

/** Wrong PINs that were typed in on this page, by number. */
const ownMistakes = new Map<string, number>()
/** The number whose time line is shown. */
let shownNumber = ''

/** Called when number and PIN that were typed in on this page did not belong together. */
export function noteOwnMistake(caseNumber: string): void {
  ownMistakes.set(caseNumber, (ownMistakes.get(caseNumber) ?? 0) + 1)
}

export function drawTimeLine(file: CaseFile): void {
  shownNumber = file.case.caseNumber
  const lines = [...file.events].reverse().map(lineFor)
  one('time-line', HTMLOListElement).replaceChildren(...(isQuiet(file) ? [quietLine(), ...lines] : lines))
}

/** Whether something of hers is looked for, and nothing was found for so long. */
function isQuiet({ case: view, events, images }: CaseFile): boolean {
  if (view.state !== 'active' || !images.some(({ matching }) => matching)) return false
  const last = events.findLast(({ kind }) => kind === 'registered' || kind === 'matched')
  return Date.now() - Date.parse(last?.at ?? view.createdAt) >= QUIET_AFTER_MS
}

function quietLine(): HTMLLIElement {
  const line = made('li', '')
  line.id = 'quiet'
  line.append(made('span', '', say('run.quiet')))
  return line
}

export function addToTimeLine(event: CaseEvent): void {
  one('time-line', HTMLOListElement).prepend(lineFor(event))
  if (event.attempts === undefined || event.attempts === 1) announce(sentenceOf(event)) // not each of a hundred in a day
}

function lineFor(event: CaseEvent): HTMLLIElement {
  const line = made('li', '')
  const time = made('time', 'hint', sayMoment(event.at))
  time.dateTime = event.at
  const sentence = sentenceOf(event)
  line.append(time, made('span', '', event.changedLater === true ? say('run.event.changed', { sentence }) : sentence))
  return line
}

function sentenceOf({ kind, images, platforms, attempts }: CaseEvent): Said {
  const isOwn = kind === 'pin-failed' && (attempts ?? 0) <= (ownMistakes.get(shownNumber) ?? 0)
  if (isOwn) return sayCount('run.ownMistakes', attempts ?? 1)
  const count = images ?? attempts
  if (count !== undefined) return sayCount(`run.event.${kind}`, count)
  return say(`run.event.${kind}`, platforms === undefined ? {} : { platforms: sayBucket(platforms) })
}

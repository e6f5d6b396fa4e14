// What happened to a case, in sentences; the newest first.

import type { CaseEvent } from '../api.js'
import { announce, made, one } from '../dom.js'
import { type Said, say, sayCount, sayMoment } from '../messages.js'
import { sayBucket } from './asking.js'

/** Wrong PINs that were typed in on this page, by number. */
const ownMistakes = new Map<string, number>()
/** The number whose time line is shown. */
let shownNumber = ''

/** Called when number and PIN that were typed in on this page did not belong together. */
export function noteOwnMistake(caseNumber: string): void {
  ownMistakes.set(caseNumber, (ownMistakes.get(caseNumber) ?? 0) + 1)
}

export function drawTimeLine(caseNumber: string, events: readonly CaseEvent[]): void {
  shownNumber = caseNumber
  one('time-line', HTMLOListElement).replaceChildren(...[...events].reverse().map(lineFor))
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

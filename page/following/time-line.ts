// What happened to a case, in sentences; the newest first.

import type { PlatformBucket } from '../../src/domain/cases/case-event.js'
import type { CaseEvent } from '../api.js'
import { announce, made, one } from '../dom.js'
import { type Said, say, sayCount, sayMoment, sayRange } from '../messages.js'

export function drawTimeLine(events: readonly CaseEvent[]): void {
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
  const count = images ?? attempts
  if (count !== undefined) return sayCount(`run.event.${kind}`, count)
  return say(`run.event.${kind}`, platforms === undefined ? {} : { platforms: bucketOf(platforms) })
}

function bucketOf(bucket: PlatformBucket): Said {
  if (bucket === 'more') return say('run.platformsMore', { n: 10 })
  const [least, most] = bucket.split('-').map(Number)
  return sayRange(least ?? 0, most ?? least ?? 0)
}

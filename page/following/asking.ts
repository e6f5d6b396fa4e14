// How many platforms look for copies.

import type { PlatformBucket } from '../../src/domain/cases/case-event.js'
import { type Said, say, sayRange } from '../messages.js'

/** @param platforms that take part, as the operator lists them. */
export function sayAsking(bucket: PlatformBucket, platforms: readonly string[]): Said {
  if (bucket === '0') return say('run.askingNone')
  const number = say('run.asking', { platforms: sayBucket(bucket) })
  const names = platforms.join(', ')
  return names === '' ? number : () => `${number()} ${say('run.askingNames', { names })()}`
}

/** A range of platforms, or the least number. */
export function sayBucket(bucket: PlatformBucket): Said {
  if (bucket === 'more') return say('run.platformsMore', { n: 10 })
  const [least, most] = bucket.split('-').map(Number)
  return sayRange(least ?? 0, most ?? least ?? 0)
}

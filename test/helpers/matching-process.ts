// A process that calls a matcher many times, without other state, and prints how many bytes a call leaves on the heap.

import { getHeapSpaceStatistics } from 'node:v8'
import { bareMatcher, matchesOf } from './bare-matcher.js'
import { catalogueOf } from './registered-image.js'

const CALLS = 3000

const { catalogue, images } = catalogueOf(20)
const matcher = bareMatcher({ replica: { catalogue } })

await ask() // compiled code stays on the heap
collectYoung()
const before = oldBytes()
await ask()
collectYoung()
process.send?.({ bytesACall: (oldBytes() - before) / CALLS })

async function ask(): Promise<void> {
  for (let i = 0; i < CALLS; i++) {
    const { hash } = images[i % images.length] ?? {}
    const pictures = [[{ type: 'pdq', view: 'whole', quality: 100, hashes: hash === undefined ? [] : [hash] }]] as const
    await matchesOf(matcher, pictures, { orgId: 'org', banks: undefined, thresholdBits: undefined })
  }
}

/** Objects that survive two of these are in the old generation. */
function collectYoung(): void {
  for (let i = 0; i < 2; i++) globalThis.gc?.({ type: 'minor' })
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0
}

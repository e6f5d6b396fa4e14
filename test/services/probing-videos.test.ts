// What queries about one film cost: a moderator asks for many excerpts of it, an attacker stays at one moment.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'
import { harmlessStep } from '../../src/services/matching/harmless/harmless-filter.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createProbingBudget, PROBING_BUDGETS } from '../../src/services/matching/probing/probing.js'
import { createProbingGuard } from '../../src/services/matching/probing/probing-guard.js'
import { createVideoMatcher } from '../../src/services/matching/video/video-matcher.js'
import type { ProbingCounts } from '../../src/store/trust/probing.js'
import { bareMatcher, matchesOf, matchesOfVideos, viewIdOf } from '../helpers/bare-matcher.js'
import { hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const FRAMES = 40
const FRAME_MS = 2000

function film(): RegisteredImage {
  const framesAtMs = Array.from({ length: FRAMES }, (_, i) => i * FRAME_MS)
  const signals = framesAtMs.flatMap((_, frame) => [
    { type: 'pdq', view: 'whole', quality: 90, hash: hashNamed(`whole ${frame}`), frame } as const,
    { type: 'pdq-area', view: 'whole', quality: 90, hash: hashNamed(`area ${frame}`), frame } as const,
  ])
  return { ...imageWith(signals), video: { durationMs: FRAMES * FRAME_MS, framesAtMs } }
}

/** Flips `count` other bits each time. */
function away(hash: Hash256, count: number): Hash256 {
  const bytes = Uint8Array.from(hash)
  const order = Array.from({ length: 256 }, (_, bit) => bit).sort(() => Math.random() - 0.5)
  for (const bit of order.slice(0, count)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

/** The counts of one process, in memory. */
function memoryCounts(): ProbingCounts {
  const kept = new Map<string, { inner: number; outer: number }>()
  return {
    charge: async (_org, charges) =>
      charges.map(({ own, shared, inner, outer }) => {
        const [mine, all] = [own, shared].map((name) => {
          const known = kept.get(name) ?? { inner: 0, outer: 0 }
          const now = { inner: known.inner + inner, outer: known.outer + outer }
          kept.set(name, now)
          return now
        })
        return { own: mine ?? { inner: 0, outer: 0 }, all: all ?? { inner: 0, outer: 0 } }
      }),
  }
}

function worldOf() {
  const catalogue = new Catalogue()
  catalogue.put(uuidV7(Date.now(), randomBytes(10)), film())
  const budget = createProbingBudget({
    ...{ counts: memoryCounts(), secret: Buffer.alloc(32, 1), now: () => 0 },
    onError: (error) => t.fail(String(error)),
  })
  const probing = createProbingGuard({
    ...{ budget, secret: Buffer.alloc(32, 1), mode: 'limit', now: () => 0 },
    events: { add: async () => undefined },
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(() => probing.close())
  const videos = createVideoMatcher({
    harmless: harmlessStep,
    ...{ replica: { catalogue }, matchIds: createMatchIds(Buffer.alloc(32, 1)), matchEvents: { note() {} }, probing },
    viewIdOf,
    scheduler: createEventLoopScheduler(LOOP, () => performance.now()),
  })
  const pictures = bareMatcher({ replica: { catalogue }, probing })
  const options = { orgId: 'org', banks: undefined, thresholdBits: undefined }
  return {
    /** @param near which frames are shown, and how many bits from those that are registered. */
    async film(near: readonly (readonly [frame: number, bits: number])[]) {
      const frames = near.map(([frame, bits]) => ({
        atMs: frame * FRAME_MS,
        signals: [
          { type: 'pdq', view: 'whole', quality: 90, hashes: [hashNamed(`asked ${frame}`)] } as const,
          { type: 'pdq-area', view: 'whole', quality: 90, hashes: [away(hashNamed(`area ${frame}`), bits)] } as const,
        ],
      }))
      const [matches = []] = await matchesOfVideos(videos, [{ frames }], options)
      return matches
    },
    async still(frame: number, bits: number) {
      const hashes = [away(hashNamed(`whole ${frame}`), bits)]
      const [matches = []] = await matchesOf(pictures, [[{ type: 'pdq', view: 'whole', quality: 90, hashes }]], options)
      return matches
    },
  }
}

t.test('thirty excerpts of one film are each answered with their moments', async (t) => {
  const { film, still } = worldOf()
  for (let i = 0; i < 30; i++) {
    const [match] = await film([
      [i, 46],
      [i + 1, 50],
      [i + 2, 50],
    ])
    t.equal(match?.segments?.length, 1, `excerpt ${i}, at the edge of a distance band`)
  }
  for (let i = 0; i < 30; i++) t.equal((await still(i, 16))[0]?.atMs, i * FRAME_MS, `still ${i}`)
})

t.test('a search for the hash of one frame learns no more than a search for a picture', async (t) => {
  const ways: Readonly<Record<string, (world: ReturnType<typeof worldOf>, i: number) => Promise<boolean>>> = {
    'by the band': async ({ film }) => {
      const [match] = await film([
        [20, 46],
        [21, 50],
      ])
      return match?.segments !== undefined
    },
    'by where the segment ends, beside other frames each time': async ({ film }, i) => {
      const [match] = await film([
        [17 - (i % 14), 38],
        [18 - (i % 14), 38],
        [20, 55],
      ])
      return match?.segments !== undefined
    },
    'as a still': async ({ still }) => (await still(20, 16))[0]?.atMs !== undefined,
  }
  for (const [name, asked] of Object.entries(ways)) {
    const world = worldOf()
    let told = 0
    for (let i = 0; i < 40; i++) if (await asked(world, i)) told++
    t.ok(told > 0 && told <= PROBING_BUDGETS.coarse, `${name}: ${told} of 40`)
  }
})

// The options that a query hands to the matcher have one hidden class, whatever the request. An object made by a spread and added to afterwards gets a
// new one with each request, which took 15 µs of 100; one with other properties gets one of its own.

import { setFlagsFromString } from 'node:v8'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { matchRoutes } from '../../src/http/routes/match.js'
import { matchImageRoutes } from '../../src/http/routes/match-images.js'
import { FREE } from '../../src/services/intake/hashing.js'
import type { Matcher } from '../../src/services/matching/matcher.js'
import { appWithCaller } from '../helpers/app-with-caller.js'
import { images } from '../helpers/multipart.js'
import { randomHashText } from '../helpers/service.js'

/** More than V8 needs until the classes of a call site are settled. */
const WARM_UP = 50
interface Choice {
  readonly grading?: 'per-pair' | 'per-upload'
  readonly thresholdBits?: number
  readonly banks?: string
  readonly depth?: 'auto' | 'hashes'
  readonly transforms?: boolean
}
/** What callers may choose, alone and together, and nothing. */
const CHOICES: readonly Choice[] = [
  { grading: 'per-upload' },
  {},
  { thresholdBits: 31 },
  { banks: 'cases' },
  { depth: 'hashes' },
  { transforms: false },
  { grading: 'per-pair', thresholdBits: 15, banks: 'cases', depth: 'auto', transforms: true },
]
const UPLOAD_LIMITS = { maxImageBytes: 1000, maxImages: 2, maxInFlightBytes: 10_000 }

/** Compiles the function for each call. V8 discards the code of an unused function, and needs the flag to compile it again. */
function haveOneHiddenClass(a: object, b: object): boolean {
  setFlagsFromString('--allow-natives-syntax')
  try {
    return new Function('a', 'b', 'return %HaveSameMap(a, b)')(a, b)
  } finally {
    setFlagsFromString('--no-allow-natives-syntax')
  }
}

/** The routes that match pictures, and the options that they handed over. */
async function open(t: Test) {
  const asked: object[] = []
  const matcher: Matcher = {
    knowsDetails: false,
    hasDetails: () => false,
    async match(_, options) {
      asked.push(options)
      return []
    },
  }
  const videoMatcher = {
    async matchVideos(_: unknown, options: object) {
      asked.push(options)
      return []
    },
  }
  const app = await appWithCaller(t)
  app.decorateRequest('consumeQuota', () => {})
  app.decorateRequest('hashingFor', () => ({ group: '', member: '', ...FREE }))
  const shared = { matcher, refuseUnknownBanks: () => {}, bandsOnly: false }
  await app.register(matchRoutes, {
    ...shared,
    videoMatcher,
    scheduler: { next: async () => {}, yielder: () => () => undefined },
  })
  const hashing = { hash: async () => ({ quality: 100, signals: [] }) }
  await app.register(matchImageRoutes, { ...shared, hashing, uploadLimits: UPLOAD_LIMITS, inFlight: { bytes: 0 } })
  /** @returns the options of one request with each choice, once the classes are settled. */
  const settled = async (send: (choice: Choice) => Promise<LightMyRequestResponse>) => {
    for (let i = 0; i < WARM_UP; i++) {
      asked.length = 0
      for (const choice of CHOICES) {
        const answer = await send(choice)
        if (answer.statusCode !== 200) throw new Error(answer.body)
      }
    }
    return asked
  }
  return { app, settled }
}

function haveOne([first, ...rest]: readonly object[]): boolean {
  return first !== undefined && rest.every((other) => other !== first && haveOneHiddenClass(first, other))
}

t.test('requests hand over options of one hidden class, whatever they ask for', async (t) => {
  const { app, settled } = await open(t)
  const picture = () => ({ signals: [{ type: 'pdq', quality: 100, hash: randomHashText() }] })
  const video = () => ({ video: { durationMs: 1000, frames: [{ atMs: 0, ...picture() }] } })
  for (const [name, query] of [
    ['a picture', picture],
    ['a video', video],
  ] as const) {
    const options = await settled(({ banks, ...choice }) => {
      const payload = { queries: [query()], ...choice, ...(banks !== undefined && { banks: [banks] }) }
      return app.inject({ method: 'POST', url: '/match', payload })
    })
    t.equal(options.length, CHOICES.length)
    t.ok(haveOne(options), name)
  }
})

t.test('so do uploads', async (t) => {
  const { app, settled } = await open(t)
  const form = images([{ name: 'a.png', contentType: 'image/png', bytes: Buffer.from('a picture') }])
  const options = await settled((choice) => {
    const query = Object.fromEntries(Object.entries(choice).map(([name, value]) => [name, String(value)]))
    return app.inject({ method: 'POST', url: '/match/images', query, ...form })
  })
  t.equal(options.length, CHOICES.length)
  t.ok(haveOne(options))
})

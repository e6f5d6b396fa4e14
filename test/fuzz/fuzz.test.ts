// A few seconds of what `npm run fuzz http` runs for hours, with another seed each time; a failure names the seed.

import t, { type Test } from 'tap'
import { Problem } from '../../src/domain/problem.js'
import type { Hashing } from '../../src/services/intake/hashing.js'
import { images, withLongField } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import { caseWithPicture, matchIdOf } from '../helpers/trust.js'
import { chanceFrom } from './chance.js'
import { fuzzHttp, fuzzSocket } from './http.js'
import { fuzzPictures } from './pictures.js'

const SEED = Number(process.env['TABIR_FUZZ_SEED'] ?? Date.now() % 1_000_000_000)
const BUDGET_MS = Number(process.env['TABIR_FUZZ_MS'] ?? 1500)

/** No worker runs here: pictures have their own test below. */
const refusing: Hashing = {
  async hash(image) {
    for (const piece of image) piece.fill(0)
    throw new Problem('image-undecodable')
  },
}

function withoutCrash(t: Test): void {
  const note = (error: unknown) => t.fail(`unhandled: ${String(error)}`)
  process.on('unhandledRejection', note).on('uncaughtException', note)
  t.teardown(() => process.off('unhandledRejection', note).off('uncaughtException', note))
}

t.test(`every request to any route is answered without an error of ours (seed ${SEED})`, async (t) => {
  withoutCrash(t)
  const chance = chanceFrom(SEED)
  const service = await startService(t, { logLevel: 'error', hashing: refusing })
  const { key, headers } = await keyFor(service, 'everybody')
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'a-bank' } })
  const her = await caseWithPicture(service)
  const matchId = await matchIdOf(service, headers, her.hash)
  const picture = await scene(1)
  const { asked, finds } = await fuzzHttp({
    app: service.app,
    tokens: [key, her.token],
    ids: {
      caseNumber: her.caseNumber,
      matchId,
      signalId: her.imageId,
      bank: 'a-bank',
      key,
      account: 'case:x',
      code: 'rate-limited',
    },
    multipart: [images([{ ...picture, bytes: picture.bytes.subarray(0, 2000) }]), withLongField(500, [picture])],
    chance,
    untilMs: performance.now() + BUDGET_MS,
  })
  t.same(finds, [])
  t.ok(asked > 20, `${asked} requests`)

  const port = await listen(service.app)
  const tried = await fuzzSocket({ chance, tokens: [key], untilMs: performance.now() + BUDGET_MS / 3 }, port)
  t.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200, `alive after ${tried} broken requests`)
})

t.test(`a picture changed anywhere is hashed or refused (seed ${SEED})`, async (t) => {
  withoutCrash(t)
  const { tried, finds } = await fuzzPictures(chanceFrom(SEED), BUDGET_MS)
  t.same(finds, [])
  t.ok(tried > 0, `${tried} pictures`)
})

// One client floods the service with pictures while others send a few. Real service and worker, one decoder.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { innermost } from '../../workers/starved.js'
import { images } from '../helpers/multipart.js'
import { type Picture, scene } from '../helpers/pictures.js'
import { childrenOf } from '../helpers/processes.js'
import { codeOf, keyFor, openCase, startService, type TestService, until } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

const BOMB: Picture = {
  name: 'flat.avif',
  contentType: 'image/avif',
  bytes: readFileSync(fileURLToPath(new URL('../../../test/data/flat-50-megapixels.avif', import.meta.url))),
}
const [ATTACKER, HER] = ['203.0.113.66', '198.51.100.7']

t.test('during a flood of pictures by one address, other cases and platforms are served first', async (t) => {
  // In the order in which they were hashed.
  const hashed: { readonly purpose: string; readonly group: string; readonly member: string }[] = []
  const service: TestService = await startService(t, {
    exposure: 'public',
    maxOf: { 'case-images': 60 },
    trustLimits: { proofRounds: 0 },
    onHashed: (_, purpose, __, from) => hashed.push({ purpose, group: from?.group ?? '', member: from?.member ?? '' }),
  })
  const { app, services } = service
  const waiting = () => services.health.pictures().waiting
  const photograph = await scene(61, { width: 160, height: 120 })
  const larger = await scene(62, { width: 800, height: 600 })
  const send = (
    own: { url: string; headers: Record<string, string> },
    remoteAddress: string,
    pictures: readonly Picture[],
  ) => {
    const { headers, payload } = images(pictures)
    return app.inject({
      method: 'POST',
      url: `${own.url}/images`,
      headers: { ...own.headers, ...headers },
      payload,
      remoteAddress,
    })
  }

  // No worker runs yet, so the order of answers shows the order of the queue.
  const cases = await Promise.all([1, 2, 3].map(() => openCase(app)))
  const flood = cases.map((own) => send(own, ATTACKER, Array(20).fill(larger)))
  await until(() => waiting() === 60)
  const neighbour = await openCase(app)
  const [hers, platform] = [await openCase(app), await keyFor(service, 'platform-1', ['match'])]
  const answers = [
    send(hers, HER, [photograph]),
    send(neighbour, ATTACKER, [photograph]),
    match(service, platform.headers, photograph),
  ]
  await until(() => waiting() === 63)
  const worker = await startWorkers(t, service.redis, { TABIR_HASHERS: '1' })

  t.same(
    (await Promise.all(answers)).map(({ statusCode }) => statusCode),
    [201, 201, 200],
  )
  t.same(
    (await Promise.all(flood)).map(({ statusCode }) => statusCode),
    [201, 201, 201],
  )
  const { group = '' } = hashed.find(({ purpose, member }) => purpose === 'submission' && isFlood(member)) ?? {}
  function isFlood(member: string) {
    return hashed.filter((other) => other.member === member).length > 1
  }
  const behind = (who: (one: (typeof hashed)[number]) => boolean) => hashed.length - 1 - hashed.findIndex(who)
  const behindHers = behind((one) => one.purpose === 'submission' && one.group !== group)
  t.ok(behindHers >= 55, `another address is served before the 60 of the flood: before ${behindHers}`)
  const behindNeighbours = behind((one) => one.group === group && !isFlood(one.member))
  t.ok(behindNeighbours >= 50, `another case of the address waits for one of each flooding case: before ${behindNeighbours}`)
  const behindPlatforms = behind((one) => one.purpose === 'query')
  t.ok(behindPlatforms >= 3, `a platform does not wait for the whole flood: before ${behindPlatforms}`)

  await t.test('1.2 kB that declare 50 megapixels are refused before they are decoded', async (t) => {
    const own = await openCase(app)
    t.equal(codeOf(await send(own, HER, [BOMB])), 'image-too-many-pixels')
    const [pid] = childrenOf(worker.pid ?? 0)
    t.ok(peakMb(innermost(pid ?? 0)) < 400, 'the decoder used less than 400 MB')
    await countsRefused(t, () => send(own, HER, Array(20).fill(BOMB)))
  })
})

/** Refused pictures count against the rate limit like registered ones. */
async function countsRefused(t: Test, send: () => Promise<{ body: string }>) {
  const codes: (string | undefined)[] = []
  for (let i = 0; i < 3; i++) codes.push(codeOf(await send()))
  t.same(codes, ['image-too-many-pixels', 'image-too-many-pixels', 'image-too-many-pixels'], 'within the rate limit')
  t.equal(codeOf(await send()), 'rate-limited', 'beyond the rate limit')
}

function match({ app }: TestService, own: Record<string, string>, picture: Picture) {
  const { headers, payload } = images([picture])
  return app.inject({ method: 'POST', url: '/v1/match/images', headers: { ...own, ...headers }, payload })
}

function peakMb(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

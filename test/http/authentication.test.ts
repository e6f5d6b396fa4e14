// How often a key is looked up for one request.

import Fastify from 'fastify'
import { t } from 'tap'
import type { Caller } from '../../src/domain/organisations/access.js'
import { Problem } from '../../src/domain/problem.js'
import { authentication, callerOf } from '../../src/http/plugins/authentication.js'

const CALLER: Caller = { keyId: 'key', orgId: 'org', scopes: new Set(['match']) }

function appWith(identify: () => Caller | undefined, now: () => number) {
  const unneeded = () => Promise.reject(new Error('no request has a token'))
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof Problem ? 401 : 500).send())
  app.register(authentication, { identify, cases: { own: unneeded, ownByKey: unneeded }, now })
  app.register(async (routes) => {
    routes.post('/', { config: { scope: 'match' } }, async (request) => callerOf(request).keyId)
  })
  return async () => {
    const headers = { authorization: 'Bearer key' }
    return (await app.inject({ method: 'POST', url: '/', headers, payload: {} })).statusCode
  }
}

t.test('a key is looked up once when the body arrives with the head, twice when it arrives later', async (t) => {
  let nowMs = 1000
  let passingMs = 0
  let looks = 0
  const ask = appWith(
    () => {
      looks++
      nowMs += passingMs
      return CALLER
    },
    () => nowMs,
  )

  t.equal(await ask(), 200)
  t.equal(looks, 1)

  passingMs = 5
  t.equal(await ask(), 200)
  t.equal(looks, 3)
})

t.test('a key that is revoked while the body arrives gets 401', async (t) => {
  let nowMs = 1000
  let looks = 0
  const ask = appWith(
    () => {
      nowMs += 5
      return looks++ === 0 ? CALLER : undefined
    },
    () => nowMs,
  )

  t.equal(await ask(), 401)
})

t.test('a key that cannot be looked up again while the body arrives stays valid', async (t) => {
  for (const code of ['index-loading', 'store-unavailable'] as const) {
    let nowMs = 1000
    let looks = 0
    const ask = appWith(
      () => {
        nowMs += 5
        if (looks++ > 0) throw new Problem(code, { retryAfterS: 1 })
        return CALLER
      },
      () => nowMs,
    )

    t.equal(await ask(), 200, code)
    t.equal(looks, 2)
  }
})

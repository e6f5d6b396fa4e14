// The options that a query hands to the matcher have one hidden class, whatever the request. An object made by a spread and added to afterwards gets a
// new one with each request, which took 15 µs of 100.

import { setFlagsFromString } from 'node:v8'
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import t from 'tap'
import type { Caller } from '../../src/domain/organisations/access.js'
import { matchRoutes } from '../../src/http/routes/match.js'
import type { Matcher } from '../../src/services/matching/matcher.js'
import { randomHashText } from '../helpers/service.js'

/** More than V8 needs until the classes of a call site are settled. */
const WARM_UP = 50
const NO_VIDEOS = { matchVideos: async () => [] }

setFlagsFromString('--allow-natives-syntax')
const haveOneHiddenClass = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean
setFlagsFromString('--no-allow-natives-syntax')

async function appWith(matcher: Matcher) {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.decorateRequest('caller', null)
  app.decorateRequest('consumeQuota', () => {})
  const caller: Caller = { keyId: 'key', orgId: 'org', scopes: new Set(['match']) }
  app.addHook('onRequest', async (request) => {
    request.caller = caller
  })
  await app.register(matchRoutes, {
    matcher,
    videoMatcher: NO_VIDEOS,
    bandsOnly: false,
    scheduler: { next: async () => {} },
  })
  return app
}

t.test('requests hand over options of one hidden class', async (t) => {
  const asked: object[] = []
  const app = await appWith({
    knowsDetails: false,
    hasDetails: () => false,
    async match(_, options) {
      asked.push(options)
      return []
    },
  })
  for (let i = 0; i < WARM_UP; i++) {
    const payload = { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] }
    const { statusCode } = await app.inject({ method: 'POST', url: '/match', payload })
    t.equal(statusCode, 200)
  }
  const [one, other] = asked.slice(-2)
  t.ok(one !== undefined && other !== undefined && one !== other && haveOneHiddenClass(one, other))
})

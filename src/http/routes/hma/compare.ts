// HMA's `/m/compare`: the distance of two hashes.

import type { FastifyPluginAsync } from 'fastify'
import { type Comparison, compared } from '../../hma/hash-comparison.js'
import { givenHash, signalTypeNamed } from '../../hma/hma-signals.js'
import { isObject } from '../../hma/lax.js'
import { HmaRefusal } from '../../hma/refusals.js'

const CONFIG = { scope: 'match', queries: 'none', keyAlso: 'in-path' } as const

export const hmaCompareRoutes: FastifyPluginAsync = async (app) => {
  app.post('/m/compare', { config: CONFIG, schema: { hide: true } }, async ({ body }) => {
    if (!isObject(body)) throw new HmaRefusal(400, 'The body must be a JSON object')
    const answer = new Map<string, Comparison>()
    for (const [type, pair] of Object.entries(body)) {
      const named = signalTypeNamed(type)
      if (!Array.isArray(pair) || pair.length !== 2) throw new HmaRefusal(400, `${named} must be a list of two hashes`)
      const [one, other] = pair.map((text) => givenHash(named, text, `Invalid ${named} hash`))
      answer.set(named, compared(one, other))
    }
    return Object.fromEntries(answer)
  })
}

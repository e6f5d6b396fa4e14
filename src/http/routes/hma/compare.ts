// HMA's `/m/compare`: the distance of two hashes.

import type { FastifyPluginAsync } from 'fastify'
import { type Comparison, compared } from '../../hma/hash-comparison.js'
import { givenHash, SIGNAL_TYPES, signalTypeNamed } from '../../hma/hma-signals.js'
import { isObject } from '../../hma/lax.js'
import { HmaRefusal } from '../../hma/refusals.js'

const CONFIG = { scope: 'match', queries: 'none', keyAlso: 'in-path' } as const

export const hmaCompareRoutes: FastifyPluginAsync = async (app) => {
  app.post('/m/compare', { config: CONFIG, schema: { hide: true } }, async ({ body }) => {
    if (!isObject(body)) throw new HmaRefusal(400, 'Request input was not a dict')
    const answer = new Map<string, Comparison>()
    for (const [type, pair] of Object.entries(body)) {
      if (!Array.isArray(pair))
        throw new HmaRefusal(
          400,
          `Comparison hashes for ${SIGNAL_TYPES.some((known) => known === type) ? type : 'a signal type'} was not a list`,
        )
      if (pair.length !== 2) throw new HmaRefusal(400, 'Comparison hash list length must be exactly 2')
      const named = signalTypeNamed(type)
      const [one, other] = pair.map((text) => givenHash(named, text, `Invalid ${named} hash`))
      answer.set(named, compared(one, other))
    }
    return Object.fromEntries(answer)
  })
}

// HMA's exchanges and signal types. Tabir pulls lists by its own exchanges, so none can be set up here.

import type { FastifyPluginAsync } from 'fastify'
import { Problem } from '../../../domain/problem.js'
import type { Health } from '../../../services/ops/health.js'
import {
  CONTENT_TYPES,
  indexedTypeNamed,
  indexedTypes,
  SIGNAL_TYPES,
  signalTypeNamed,
  sizeOfIndex,
} from '../../hma/hma-signals.js'
import { laxFields } from '../../hma/lax.js'
import { HmaRefusal } from '../../hma/refusals.js'

export interface HmaExchangeOptions {
  readonly health: Pick<Health, 'report'>
  /** Who sees the number of hashes. All others see no number. */
  readonly countsFor: 'public' | 'admin'
  readonly now: () => number
}

export const hmaExchangeRoutes: FastifyPluginAsync<HmaExchangeOptions> = async (app, { health, countsFor, now }) => {
  const options = { config: { scope: 'signals:write', keyAlso: 'in-path' }, schema: { hide: true } } as const
  const unknown = async () => {
    throw new HmaRefusal(404, 'Exchange not found')
  }
  const unknownApi = async () => {
    throw new HmaRefusal(400, 'no such Exchange API')
  }

  app.get('/c/exchanges/apis', options, async () => [])
  app.get('/c/exchanges/api/:api', options, unknownApi)
  app.post('/c/exchanges/api/:api', options, unknownApi)
  app.get('/c/exchanges/api/:api/schema', options, async () => {
    throw new HmaRefusal(404, 'Exchange API not found')
  })
  app.get('/c/exchanges', options, async () => [])
  app.post('/c/exchanges', options, async () => {
    throw new HmaRefusal(400, 'No such exchange type')
  })
  app.get('/c/exchange/:exchange', options, unknown)
  app.get('/c/exchange/:exchange/status', options, unknown)
  app.put('/c/exchange/:exchange', options, unknown)
  app.delete('/c/exchange/:exchange', options, async () => ({ message: 'Exchange deleted' }))

  app.get('/c/signal_type', options, async () => SIGNAL_TYPES.map((name) => ({ name, enabled_ratio: 1 })))
  app.put<{ Params: { readonly type: string } }>('/c/signal_type/:type', options, async ({ params, body }, reply) => {
    const fields = laxFields(body)
    const ratio = fields.ratio('enabled_ratio')
    fields.check()
    signalTypeNamed(params.type)
    if (ratio !== 1) throw new HmaRefusal(403, 'Signal types cannot be disabled')
    return reply.code(204).send()
  })
  app.get('/c/signal_type/index', options, async ({ query, caller }) => {
    const asked = laxFields(query).text('signal_type')
    indexedTypeNamed(asked)
    const report = health.report()
    if (report instanceof Problem) throw report
    const isCounted = countsFor === 'public' || caller?.scopes.has('admin') === true
    const at = Math.floor(now() / 1000)
    const statuses = indexedTypes(asked).map((type) => {
      const size = isCounted ? sizeOfIndex(type, report.rows) : 0
      return [
        type,
        { db_size: size, index_size: size, index_out_of_date: false, newest_db_item: at, index_built_to: at },
      ] as const
    })
    return Object.fromEntries(statuses)
  })
  app.get('/c/content_type', options, async () => CONTENT_TYPES)
}

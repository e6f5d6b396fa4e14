// HMA's status routes: is the service up, and how large are its indices?

import type { FastifyPluginAsync } from 'fastify'
import { Problem } from '../../../domain/problem.js'
import type { Health } from '../../../services/ops/health.js'
import { indexedTypeNamed, indexedTypes, sizeOfIndex } from '../../hma/hma-signals.js'
import { laxFields } from '../../hma/lax.js'

const ALIVE = 'I-AM-ALIVE'

export interface HmaStatusOptions {
  readonly health: Pick<Health, 'report'>
  readonly now: () => number
  /** Paths of all HMA routes here. */
  readonly paths: readonly string[]
}

export const hmaStatusRoutes: FastifyPluginAsync<HmaStatusOptions> = async (app, { health, now, paths }) => {
  const open = { config: { scope: 'public' }, schema: { hide: true } } as const

  app.get('/status', open, async (_request, reply) => {
    const report = health.report()
    reply.type('text/plain')
    if (!('code' in report)) return ALIVE
    return reply.code(503).send(report.code === 'index-loading' ? 'INDEX-NOT-LOADED' : 'INDEX-STALE')
  })

  app.get('/status/live', open, async (_request, reply) => reply.type('text/plain').send(ALIVE))

  const guarded = { config: { scope: 'match', queries: 'none', keyAlso: 'in-path' }, schema: { hide: true } } as const
  app.get('/m/index/status', guarded, async ({ query }) => {
    const asked = laxFields(query).text('signal_type')
    indexedTypeNamed(asked)
    const report = health.report()
    if (report instanceof Problem) throw report
    const at = Math.floor(now() / 1000)
    const statuses = indexedTypes(asked).map(
      (type) => [type, { present: true, built_to: at, size: sizeOfIndex(type, report.rows) }] as const,
    )
    return Object.fromEntries(statuses)
  })

  app.get('/site-map', open, async () => [...new Set(paths)].sort())
}

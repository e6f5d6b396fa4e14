// HMA's status route: is the service up?

import type { FastifyPluginAsync } from 'fastify'
import type { Health } from '../../../services/ops/health.js'

const ALIVE = 'I-AM-ALIVE'

export interface HmaStatusOptions {
  readonly health: Pick<Health, 'report'>
  /** Paths of all HMA routes here. */
  readonly paths: readonly string[]
}

export const hmaStatusRoutes: FastifyPluginAsync<HmaStatusOptions> = async (app, { health, paths }) => {
  const open = { config: { scope: 'public' }, schema: { hide: true } } as const

  app.get('/status', open, async (_request, reply) => {
    const report = health.report()
    reply.type('text/plain')
    if (!('code' in report)) return ALIVE
    return reply.code(503).send(report.code === 'index-loading' ? 'INDEX-NOT-LOADED' : 'INDEX-STALE')
  })

  app.get('/status/live', open, async (_request, reply) => reply.type('text/plain').send(ALIVE))

  app.get('/site-map', open, async () => [...new Set(paths)].sort())
}

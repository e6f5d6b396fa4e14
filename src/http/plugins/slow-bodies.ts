// Cuts off requests whose body trickles in. Otherwise a slow sender could hold a connection and memory for an hour.

import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import type { ServerLimits } from '../limit-table.js'

interface Watched {
  readonly raw: IncomingMessage
  sinceMs: number
  bytes: number
}

/** @param limits `minBodyBytesPerS` is the minimum average over `slowForMs`. Cost: a set entry per request with a body. */
export const slowBodies = fp<{ readonly limits: Pick<ServerLimits, 'minBodyBytesPerS' | 'slowForMs'> }>(
  async (app, { limits: { minBodyBytesPerS, slowForMs } }) => {
    const watched = new Set<Watched>()
    app.addHook('onRequest', ({ raw }, _reply, done) => {
      const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0
      if (hasBody && !raw.complete) {
        const one = { raw, sinceMs: performance.now(), bytes: raw.socket.bytesRead }
        watched.add(one)
        raw.once('close', () => watched.delete(one))
      }
      done()
    })
    const timer = setInterval(() => {
      const nowMs = performance.now()
      for (const one of watched) {
        const { raw } = one
        if (raw.complete || raw.destroyed) watched.delete(one)
        // If bytes wait here, or nobody has begun to read, we are the slow side.
        else if (raw.readableLength > 0 || raw.readableFlowing === null) restart(one, nowMs)
        else if (nowMs - one.sinceMs >= slowForMs) {
          const came = raw.socket.bytesRead - one.bytes
          if (came < (minBodyBytesPerS * (nowMs - one.sinceMs)) / 1000) raw.socket.destroy()
          else restart(one, nowMs)
        }
      }
    }, slowForMs / 4).unref()
    app.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'slow-bodies', fastify: '5.x' },
)

function restart(one: Watched, nowMs: number): void {
  one.sinceMs = nowMs
  one.bytes = one.raw.socket.bytesRead
}

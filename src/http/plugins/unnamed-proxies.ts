// Warns the operator of a proxy that TABIR_TRUST_PROXY does not name.

import fp from 'fastify-plugin'

/** After this many trusted forwarded addresses the setting must be right, and checking stops. */
const ENOUGH_BELIEVED = 1000

export const UNNAMED_PROXY =
  'A request has X-Forwarded-For and does not come from an address of TABIR_TRUST_PROXY. If a proxy of yours sent it, all callers count as one, and one of them can use up the limits of all: name the proxy.'

/** Warns once per process, without the address: anybody can send such a header and could fill the log. */
export const unnamedProxies = fp(
  async (app) => {
    let left = ENOUGH_BELIEVED
    app.addHook('onRequest', (request, _reply, done) => {
      if (left > 0 && request.headers['x-forwarded-for'] !== undefined) {
        left -= 1
        if (request.ip === request.socket.remoteAddress) {
          left = 0
          app.log.warn(UNNAMED_PROXY)
        }
      }
      done()
    })
  },
  { name: 'unnamed-proxies', fastify: '5.x' },
)

// HMA's `/h`: hash a picture or a video.

import type { FastifyPluginAsync } from 'fastify'
import { type ByAddressOptions, hashedFrom, hashedUpload } from '../../hma/by-address.js'
import { hashesOf } from '../../hma/content-signals.js'
import { laxFields } from '../../hma/lax.js'

const CONFIG = { scope: 'match', queries: 'none', keyAlso: 'in-path' } as const
const schema = { hide: true }

export const hmaHashRoutes: FastifyPluginAsync<ByAddressOptions> = async (app, options) => {
  app.get('/h/hash', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const url = fields.needed('url')
    fields.check()
    return hashesOf(await hashedFrom(options, url, fields, 'vpdq', { request, reply }), fields.text('types'))
  })

  app.post('/h/hash', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    const types = laxFields(request.query).text('types')
    return hashesOf((await hashedUpload(options, types, 'vpdq', { request, reply })).result, types)
  })
}

// The page for submitters, the console for organisations, and the assets that both load.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { LANGUAGE_TAGS } from '../../domain/languages.js'
import { Problem } from '../../domain/problem.js'
import type { VideoHashing } from '../../services/intake/video-hashing.js'
import type { PageName } from '../../web/markup.js'
import { encodingFor, languageFor } from '../../web/negotiate.js'
import type { Served, Site } from '../../web/site.js'

export interface PageRouteOptions {
  readonly site: Site
  readonly videoHashing: Pick<VideoHashing, 'lackDecoders'>
}

const PUBLIC = { scope: 'public' } as const
/** All other query parameters are ignored. */
const Query = z.object({ lang: z.unknown(), script: z.unknown() }).partial()

export const pageRoutes: FastifyPluginAsyncZod<PageRouteOptions> = async (app, { site, videoHashing }) => {
  const pages = {
    '/': 'start',
    '/case': 'case',
    '/help': 'help',
    '/how-it-works': 'how-it-works',
    '/privacy': 'privacy',
  } as const satisfies Record<string, PageName>
  for (const [url, name] of Object.entries(pages)) {
    app.get(url, { config: PUBLIC, schema: { hide: true, querystring: Query } }, async (request, reply) => {
      const { script } = request.query
      if (url === '/' && typeof script === 'string') return sendAsset(request, reply, site, script)
      const language = languageFor(LANGUAGE_TAGS, request.query.lang, request.headers['accept-language'])
      const lackDecoders = await videoHashing.lackDecoders().catch(() => false) // the store is unavailable: videos are offered, and an upload checks again
      const page = site.page(name, language, !lackDecoders)
      return send(request, reply.header('content-language', language), page, 'Accept-Language, Accept-Encoding')
    })
  }

  app.get('/console', { config: PUBLIC, schema: { hide: true } }, async (request, reply) =>
    send(request, reply, site.console, 'Accept-Encoding'),
  )

  app.get(
    '/assets/:file',
    { config: PUBLIC, schema: { hide: true, params: z.object({ file: z.string() }) } },
    async (request, reply) => sendAsset(request, reply, site, request.params.file),
  )
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, site: Site, file: string): FastifyReply {
  const asset = site.asset(file)
  if (asset === undefined) throw new Problem('route-unknown')
  return send(request, reply, asset, 'Accept-Encoding')
}

function send(request: FastifyRequest, reply: FastifyReply, served: Served, vary: string): FastifyReply {
  const wanted = request.headers['accept-encoding']
  const encoding = encodingFor(Array.isArray(wanted) ? wanted.join(',') : wanted)
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.headers(served.headers).header('vary', vary).type(served.type).send(served.body(encoding))
}

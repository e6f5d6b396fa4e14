// The routes of Hasher-Matcher-Actioner (HMA). Its clients need only another URL and key to query Tabir.

import type { FastifyPluginAsync } from 'fastify'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { hotlinesFor } from '../../domain/cases/hotlines.js'
import { withFloats } from '../hma/floats.js'
import { createHmaErrorHandler } from '../hma/refusals.js'
import { named } from '../plugins/named.js'
import { hmaCompareRoutes } from './hma/compare.js'
import { type HmaContentOptions, hmaContentRoutes } from './hma/contents.js'
import { hmaHashRoutes } from './hma/hash.js'
import { type HmaBankOptions, hmaBankRoutes } from './hma/hma-banks.js'
import { type HmaExchangeOptions, hmaExchangeRoutes } from './hma/hma-exchanges.js'
import { type HmaLookupOptions, hmaLookupRoutes } from './hma/lookup.js'
import { type HmaStatusOptions, hmaStatusRoutes } from './hma/status.js'

export type HmaOptions = HmaLookupOptions &
  Omit<HmaStatusOptions, 'paths'> &
  HmaContentOptions &
  HmaBankOptions &
  HmaExchangeOptions & {
    /** ISO 3166-1 alpha-2: the country whose hotlines are named. */
    readonly country: string | undefined
  }

/** HMA's names for path parameters, as its site map writes them. */
const VARIABLES: Readonly<Record<string, string>> = {
  name: 'bank_name',
  id: 'int:content_id',
  exchange: 'string:exchange_name',
  api: 'string:api_name',
  type: 'signal_type_name',
}

/** Prefix for clients that cannot send a header: `https://tabir.example/hma/<key>`. */
const WITH_KEY = '/hma/:key'

export const hmaRoutes: FastifyPluginAsync<HmaOptions> = async (app, options) => {
  const answerErrors = createHmaErrorHandler(hotlinesFor(options.country))
  for (const prefix of ['', WITH_KEY]) {
    await app.register(
      async (scoped) => {
        const paths: string[] = []
        scoped.setErrorHandler(answerErrors)
        // HMA's clients send a content type even without a body.
        const parseJson = scoped.getDefaultJsonParser('error', 'error')
        scoped.removeContentTypeParser('application/json')
        scoped.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
          if (body === '') done(null, undefined)
          else parseJson(request, body.toString(), done)
        })
        // With a URL the form is empty, or has the fields that a form with a picture would have.
        scoped.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
          done(null, body === '' ? undefined : Object.fromEntries(new URLSearchParams(body.toString())))
        })
        scoped.setReplySerializer((payload) => withFloats(JSON.stringify(payload)))
        scoped.addHook('onRoute', ({ url }) => {
          paths.push(
            url.slice(prefix.length).replaceAll(/:(\w+)/g, (_, part: string) => `<${ownValue(VARIABLES, part) ?? part}>`),
          )
        })
        await scoped.register(named(hmaStatusRoutes), { ...options, paths })
        await scoped.register(named(hmaHashRoutes), options)
        await scoped.register(named(hmaLookupRoutes), options)
        await scoped.register(named(hmaCompareRoutes))
        await scoped.register(named(hmaBankRoutes), options)
        await scoped.register(named(hmaContentRoutes), options)
        await scoped.register(named(hmaExchangeRoutes), options)
      },
      { prefix },
    )
  }
}

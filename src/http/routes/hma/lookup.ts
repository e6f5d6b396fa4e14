// HMA's lookups: which banks match a hash, or a picture or video that is sent or named by its address.

import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { GRADINGS, type Grading } from '../../../../packages/core/src/matching/registry-size.js'
import { ownValue } from '../../../../packages/core/src/own-value.js'
import { type BankMatchOptions, byBank, findMatches, lookUpFile, queryFor } from '../../hma/bank-matches.js'
import { type ByAddressOptions, hashedFrom, hashedUpload } from '../../hma/by-address.js'
import { coinOf, givenHash, signalTypeNamed } from '../../hma/hma-signals.js'
import { type LaxFields, laxFields } from '../../hma/lax.js'
import { HmaRefusal } from '../../hma/refusals.js'

export type HmaLookupOptions = BankMatchOptions & ByAddressOptions

const CONFIG = { scope: 'match', queries: 'counted', keyAlso: 'in-path' } as const
const schema = { hide: true }

export const hmaLookupRoutes: FastifyPluginAsync<HmaLookupOptions> = async (app, options) => {
  lookUpRawRoute(app, options)
  lookUpAddressOrHashRoute(app, options)
  lookUpFileRoute(app, options)
}

function lookUpRawRoute(app: FastifyInstance, options: HmaLookupOptions): void {
  app.get('/m/raw_lookup', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const signal = fields.needed('signal')
    const type = fields.needed('signal_type')
    const names = fields.text('banks')?.split(',')
    const withDistance = fields.bool('include_distance') ?? false
    const grading = gradingIn(fields)
    fields.check()
    const found = await findMatches({ request, reply }, options, queryIn(type, signal), grading)
    const all = found.filter(({ bank }) => names?.includes(bank) !== false).map(({ shown }) => shown)
    return { matches: withDistance ? all : all.map(({ bank_content_id: contentId }) => contentId) }
  })
}

function lookUpAddressOrHashRoute(app: FastifyInstance, options: HmaLookupOptions): void {
  app.get('/m/lookup', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [url, signal, type] = [fields.text('url'), fields.text('signal'), fields.text('signal_type')]
    const [banks, seed, grading] = [fields.text('banks'), fields.text('seed'), gradingIn(fields)]
    fields.check()
    if (url !== undefined) {
      if (type !== undefined) signalTypeNamed(type)
      const result = await hashedFrom(options, url, fields, 'query', { request, reply })
      const asked = { types: fields.text('types'), banks, coin: coinOf(seed), grading }
      const found = await lookUpFile({ request, reply }, options, result, asked)
      return type === undefined ? found : (ownValue(found, type) ?? {})
    }
    if (signal === undefined || type === undefined)
      throw new HmaRefusal(400, 'Either url or both signal and signal_type are required')
    const found = await findMatches({ request, reply }, options, queryIn(type, signal), grading)
    return byBank({ request, reply }, options, found, { banks, coin: coinOf(seed) })
  })
}

function lookUpFileRoute(app: FastifyInstance, options: HmaLookupOptions): void {
  app.post('/m/lookup', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [banks, seed, grading] = [fields.text('banks'), fields.text('seed'), gradingIn(fields)]
    const coin = fields.text('bypass_coinflip') === 'true' ? 0 : coinOf(seed)
    const types = fields.text('types')
    const { result } = await hashedUpload(options, types, 'query', { request, reply })
    return await lookUpFile({ request, reply }, options, result, { types, banks, coin, grading })
  })
}

function queryIn(type: string, signal: string) {
  return queryFor(givenHash(signalTypeNamed(type), signal, 'invalid signal'))
}

function gradingIn(fields: LaxFields): Grading | undefined {
  const text = fields.text('grading')
  const grading = GRADINGS.find((one) => one === text)
  if (text !== undefined && grading === undefined) throw new HmaRefusal(400, `grading must be ${GRADINGS.join(' or ')}`)
  return grading
}

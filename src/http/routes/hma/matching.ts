// HMA's `/h` and `/m`: hash a picture; look up a picture or a hash.
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { distance, type Hash256 } from '../../../../packages/hash/src/hash256.js'
import type { HashedImage } from '../../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../../domain/matching/signal-types.js'
import { Problem } from '../../../domain/problem.js'
import type { Banks } from '../../../services/banks/banks.js'
import type { Contents } from '../../../services/interop/contents.js'
import type { MatchIds } from '../../../services/matching/match-ids.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import type { Health } from '../../../services/ops/health.js'
import { ofImage } from '../../hashed-signals.js'
import { type ByAddressOptions, hashedFrom } from '../../hma/by-address.js'
import {
  askedByHash,
  coinOf,
  contentTypeNamed,
  distanceText,
  INVALID_PDQ,
  indexedTypeNamed,
  PDQ,
  pdqHash,
  pdqOf,
  selectedTypes,
  signalTypeNamed,
} from '../../hma/hma-signals.js'
import { isObject, laxFields } from '../../hma/lax.js'
import { HmaRefusal, unhashed } from '../../hma/refusals.js'
import { callerOf } from '../../plugins/authentication.js'
import { forQueries, oneFile } from '../../upload.js'

/** HMA has one threshold for all banks. */
const COMPARED_WITHIN_BITS = 31

export interface HmaMatchingOptions extends ByAddressOptions {
  readonly matcher: Matcher
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly contents: Pick<Contents, 'idFor'>
  readonly banks: Pick<Banks, 'list'>
  readonly health: Pick<Health, 'report'>
  readonly now: () => number
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

type Asked = Pick<HashedImage, 'signals' | 'isForm'>

interface Found {
  readonly bank: string
  readonly bank_content_id: number
  readonly distance: string
}

const CONFIG = { scope: 'match', keyAlso: 'in-path' } as const
const schema = { hide: true }

export const hmaMatchingRoutes: FastifyPluginAsync<HmaMatchingOptions> = async (app, options) => {
  hashAddressRoute(app, options)
  hashFileRoute(app, options)
  lookUpRawRoute(app, options)
  lookUpAddressOrHashRoute(app, options)
  lookUpFileRoute(app, options)
  compareRoute(app)
  indexStatusRoute(app, options)
}

function hashAddressRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.get('/h/hash', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const url = fields.needed('url')
    fields.check()
    return { [PDQ]: hashText(await hashedFrom(options, url, fields, 'query', request.hashingFor(reply))) }
  })
}

function hashFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/h/hash', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    selectedTypes(laxFields(request.query).text('types'))
    return { [PDQ]: hashText(await hashUploaded({ request, reply }, options)) }
  })
}

function lookUpRawRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.get('/m/raw_lookup', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const signal = fields.needed('signal')
    const type = fields.needed('signal_type')
    const names = fields.text('banks')?.split(',')
    const withDistance = fields.bool('include_distance') ?? false
    fields.check()
    signalTypeNamed(type)
    const asked = askedByHash(pdqHash(signal, 'invalid signal'))
    request.consumeQuota(reply, 1)
    const found = await findMatches({ request, reply }, options, { signals: asked })
    const all = found.filter(({ bank }) => names?.includes(bank) !== false)
    return {
      matches: withDistance
        ? all.map(({ bank: _, ...match }) => match)
        : all.map(({ bank_content_id: contentId }) => contentId),
    }
  })
}

function lookUpAddressOrHashRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.get('/m/lookup', { config: CONFIG, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [url, signal, type] = [fields.text('url'), fields.text('signal'), fields.text('signal_type')]
    const [names, seed] = [fields.text('banks'), fields.text('seed')]
    fields.check()
    if (url !== undefined) {
      if (type !== undefined) signalTypeNamed(type)
      const result = await hashedFrom(options, url, fields, 'query', request.hashingFor(reply))
      request.consumeQuota(reply, 1)
      const picture = hashedOr(result)
      const found = await lookUp({ request, reply }, options, { picture, banks: names, coin: coinOf(seed) })
      return type === undefined ? { [PDQ]: found } : found
    }
    if (signal === undefined || type === undefined)
      throw new HmaRefusal(400, 'Either url or both signal and signal_type are required')
    signalTypeNamed(type)
    const signals = askedByHash(pdqHash(signal, 'invalid signal'))
    request.consumeQuota(reply, 1)
    return await lookUp({ request, reply }, options, { picture: { signals }, banks: names, coin: coinOf(seed) })
  })
}

function lookUpFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/m/lookup', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [banks, seed] = [fields.text('banks'), fields.text('seed')]
    const coin = fields.text('bypass_coinflip') === 'true' ? 0 : coinOf(seed)
    selectedTypes(fields.text('types'))
    const result = await hashUploaded({ request, reply }, options)
    request.consumeQuota(reply, 1)
    return { [PDQ]: await lookUp({ request, reply }, options, { picture: hashedOr(result), banks, coin }) }
  })
}

function compareRoute(app: FastifyInstance): void {
  app.post('/m/compare', { config: CONFIG, schema }, async ({ body }) => {
    if (!isObject(body)) throw new HmaRefusal(400, 'Request input was not a dict')
    const answer = new Map<string, [boolean, { distance: number }]>()
    for (const [type, pair] of Object.entries(body)) {
      if (!Array.isArray(pair))
        throw new HmaRefusal(400, `Comparison hashes for ${type === PDQ ? PDQ : 'a signal type'} was not a list`)
      if (pair.length !== 2) throw new HmaRefusal(400, 'Comparison hash list length must be exactly 2')
      signalTypeNamed(type)
      const [one, other] = pair.map((text): Hash256 => pdqHash(text, 'Invalid pdq hash'))
      if (one === undefined || other === undefined) throw new HmaRefusal(400, `Invalid pdq hash: ${INVALID_PDQ}`)
      const bits = distance(one, other)
      answer.set(type, [bits <= COMPARED_WITHIN_BITS, { distance: bits }])
    }
    return Object.fromEntries(answer)
  })
}

function indexStatusRoute(app: FastifyInstance, { health, now }: HmaMatchingOptions): void {
  app.get('/m/index/status', { config: CONFIG, schema }, async ({ query }) => {
    indexedTypeNamed(laxFields(query).text('signal_type'))
    const report = health.report()
    if (report instanceof Problem) throw report
    return { [PDQ]: { present: true, built_to: Math.floor(now() / 1000), size: report.rows[PDQ] ?? 0 } }
  })
}

async function hashUploaded(
  { request, reply }: Exchange,
  { hashing, uploadLimits, inFlight }: HmaMatchingOptions,
): Promise<HashedImage | Problem> {
  const { result } = await oneFile(request, forQueries(uploadLimits), inFlight, contentTypeNamed, async (image, isCut) =>
    ofImage(hashing.hash(image, 'query', 'none', request.hashingFor(reply)), isCut),
  )
  await request.reauthorize()
  return result
}

async function findMatches(
  { request, reply }: Exchange,
  { matcher, matchIds, contents }: HmaMatchingOptions,
  { signals, isForm }: Asked,
): Promise<Found[]> {
  const caller = callerOf(request)
  const [matches] = await matcher.match([signals], {
    orgId: caller.orgId,
    banks: undefined,
    thresholdBits: undefined,
    isFormOf: () => isForm === true,
    knowsDistance: caller.scopes.has('match:distance'),
    // HMA's answer has no field for truncation.
    onTruncated: () => void reply.header('tabir-truncated', 'true'),
  })
  // HMA's answer has no grade, so its clients would act on a match that is only for review.
  const sure = (matches ?? []).filter(({ grade }) => grade !== 'review')
  return sure.map((match) => {
    const imageId = matchIds.imageOf(caller.orgId, match.matchId)
    if (imageId === undefined) throw new Error('a match id that was given is known')
    return {
      bank: match.bank,
      bank_content_id: contents.idFor(caller.orgId, imageId),
      distance: distanceText(match, caller),
    }
  })
}

interface LookUp {
  readonly picture: Asked
  /** Comma-separated names; `undefined` for all banks. */
  readonly banks: string | undefined
  /** A bank answers if its enabled ratio is at least this number. */
  readonly coin: number
}

/** @returns matches by bank. A disabled bank never answers. */
async function lookUp(exchange: Exchange, options: HmaMatchingOptions, { picture, banks, coin }: LookUp) {
  const names = banks?.split(',')
  const listed = options.banks.list(callerOf(exchange.request))
  const ratios = new Map(listed.map(({ shownAs, enabledRatio }) => [shownAs, enabledRatio ?? 1]))
  const answer = new Map<string, Omit<Found, 'bank'>[]>()
  for (const { bank, ...match } of await findMatches(exchange, options, picture)) {
    if (names?.includes(bank) === false || (ratios.get(bank) ?? 0) < coin) continue
    const ofBank = answer.get(bank) ?? []
    ofBank.push(match)
    answer.set(bank, ofBank)
  }
  return Object.fromEntries(answer)
}

/** HMA answers an empty hash for a picture that is too plain. */
function hashText(hashed: HashedImage | Problem): string {
  if (!(hashed instanceof Problem)) return hashed.quality < SIGNAL_TYPES[PDQ].minQuality ? '' : pdqOf(hashed)
  if (hashed.code === 'quality-too-low') return ''
  throw unhashed(hashed)
}

/** @throws the problem of a picture that could not be hashed: an empty hash cannot be looked up. */
function hashedOr(hashed: HashedImage | Problem): HashedImage {
  if (!(hashed instanceof Problem)) return hashed
  throw hashed.code === 'quality-too-low' ? new HmaRefusal(400, `invalid signal: ${INVALID_PDQ}`) : unhashed(hashed)
}

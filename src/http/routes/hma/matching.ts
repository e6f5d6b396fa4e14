// HMA's `/h` and `/m`: hash a picture; look up a picture or a hash.
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { MAX_AREA_SIGNALS } from '../../../../packages/hash/src/image-hasher.js'
import type { HashedImage } from '../../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../../domain/matching/signal-types.js'
import { Problem } from '../../../domain/problem.js'
import type { Banks } from '../../../services/banks/banks.js'
import type { Contents } from '../../../services/interop/contents.js'
import type { MatchIds } from '../../../services/matching/match-ids.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import type { AskedVideo, VideoMatcher } from '../../../services/matching/video/video-matcher.js'
import type { Health } from '../../../services/ops/health.js'
import { ofImage } from '../../hashed-signals.js'
import { type ByAddressOptions, hashedFrom } from '../../hma/by-address.js'
import { type Comparison, compared } from '../../hma/hash-comparison.js'
import {
  askedByHash,
  askedByVpdq,
  coinOf,
  contentTypeNamed,
  distanceText,
  type GivenHash,
  givenHash,
  SIGNAL_TYPES as HMA_TYPES,
  type HmaSignalType,
  INVALID_PDQ,
  indexedTypeNamed,
  indexedTypes,
  md5Of,
  PDQ,
  pdqOf,
  selectedTypes,
  signalTypeNamed,
  sizeOfIndex,
  VIDEO,
  VIDEO_MD5,
  VPDQ,
} from '../../hma/hma-signals.js'
import { isObject, laxFields } from '../../hma/lax.js'
import { HmaRefusal, unhashed } from '../../hma/refusals.js'
import { callerOf } from '../../plugins/authentication.js'
import { forQueries, oneFile } from '../../upload.js'

export interface HmaMatchingOptions extends ByAddressOptions {
  readonly matcher: Matcher
  readonly videoMatcher: VideoMatcher
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

type Asked = Pick<HashedImage, 'signals' | 'isForm'> | AskedVideo
interface Md5 {
  readonly md5: string
}
/** The hashes of a file. A video has only its MD5. */
type Hashed = HashedImage | Md5 | Problem

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
    return hashesOf(await hashedFrom(options, url, fields, 'query', request.hashingFor(reply)))
  })
}

function hashFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/h/hash', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    return hashesOf(await hashUploaded({ request, reply }, options, laxFields(request.query).text('types')))
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
    const asked = askedBy(givenHash(signalTypeNamed(type), signal, 'invalid signal'))
    request.consumeQuota(reply, countOf(asked))
    const found = await findMatches({ request, reply }, options, asked)
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
      const asked = askedOr(result)
      const found = await lookUp({ request, reply }, options, { asked, banks: names, coin: coinOf(seed) })
      const hashedWith = typeOf(result)
      if (type !== undefined) return type === hashedWith ? found : {}
      return { [hashedWith]: found }
    }
    if (signal === undefined || type === undefined)
      throw new HmaRefusal(400, 'Either url or both signal and signal_type are required')
    const asked = askedBy(givenHash(signalTypeNamed(type), signal, 'invalid signal'))
    request.consumeQuota(reply, countOf(asked))
    return await lookUp({ request, reply }, options, { asked, banks: names, coin: coinOf(seed) })
  })
}

function lookUpFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/m/lookup', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [banks, seed] = [fields.text('banks'), fields.text('seed')]
    const coin = fields.text('bypass_coinflip') === 'true' ? 0 : coinOf(seed)
    const result = await hashUploaded({ request, reply }, options, fields.text('types'))
    request.consumeQuota(reply, 1)
    return { [typeOf(result)]: await lookUp({ request, reply }, options, { asked: askedOr(result), banks, coin }) }
  })
}

function compareRoute(app: FastifyInstance): void {
  app.post('/m/compare', { config: CONFIG, schema }, async ({ body }) => {
    if (!isObject(body)) throw new HmaRefusal(400, 'Request input was not a dict')
    const answer = new Map<string, Comparison>()
    for (const [type, pair] of Object.entries(body)) {
      if (!Array.isArray(pair))
        throw new HmaRefusal(400, `Comparison hashes for ${isKnown(type) ? type : 'a signal type'} was not a list`)
      if (pair.length !== 2) throw new HmaRefusal(400, 'Comparison hash list length must be exactly 2')
      const named = signalTypeNamed(type)
      const [one, other] = pair.map((text) => givenHash(named, text, `Invalid ${named} hash`))
      answer.set(named, compared(one, other))
    }
    return Object.fromEntries(answer)
  })
}

function indexStatusRoute(app: FastifyInstance, { health, now }: HmaMatchingOptions): void {
  app.get('/m/index/status', { config: CONFIG, schema }, async ({ query }) => {
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
}

async function hashUploaded(
  { request, reply }: Exchange,
  { hashing, uploadLimits, inFlight }: HmaMatchingOptions,
  types: string | undefined,
): Promise<Hashed> {
  let content = ''
  const accepts = (name: string) => {
    contentTypeNamed(name)
    selectedTypes(types, name)
    content = name
  }
  const { result } = await oneFile<HashedImage | Md5>(
    request,
    forQueries(uploadLimits),
    inFlight,
    accepts,
    async (pieces, isCut) =>
      content === VIDEO
        ? { md5: await md5Of(pieces, isCut) }
        : ofImage(hashing.hash(pieces, 'query', 'none', request.hashingFor(reply)), isCut),
  )
  await request.reauthorize()
  return result
}

async function findMatches(
  { request, reply }: Exchange,
  { matcher, videoMatcher, matchIds, contents }: HmaMatchingOptions,
  asked: Asked,
): Promise<Found[]> {
  const caller = callerOf(request)
  const options = {
    orgId: caller.orgId,
    banks: undefined,
    thresholdBits: undefined,
    knowsDistance: caller.scopes.has('match:distance'),
    // HMA's answer has no field for truncation.
    onTruncated: () => void reply.header('tabir-truncated', 'true'),
  }
  const [matches] =
    'frames' in asked
      ? await videoMatcher.matchVideos([asked], options)
      : await matcher.match([asked.signals], { ...options, isFormOf: () => asked.isForm === true })
  // HMA's answer has no grade, so its clients would act on a match that is only for review.
  const sure = (matches ?? []).filter(({ grade }) => grade !== 'review')
  return sure.map((match) => {
    const imageId = matchIds.imageOf(caller.orgId, match.matchId)
    if (imageId === undefined) throw new Error('a match id that was given is known')
    return {
      bank: match.bank,
      bank_content_id: contents.idFor(caller.orgId, imageId),
      distance: distanceText(match, caller, 'frames' in asked ? asked.frames.length : undefined),
    }
  })
}

interface LookUp {
  readonly asked: Asked
  /** Comma-separated names; `undefined` for all banks. */
  readonly banks: string | undefined
  /** A bank answers if its enabled ratio is at least this number. */
  readonly coin: number
}

/** @returns matches by bank. A disabled bank never answers. */
async function lookUp(exchange: Exchange, options: HmaMatchingOptions, { asked, banks, coin }: LookUp) {
  const names = banks?.split(',')
  const listed = options.banks.list(callerOf(exchange.request))
  const ratios = new Map(listed.map(({ shownAs, enabledRatio }) => [shownAs, enabledRatio ?? 1]))
  const answer = new Map<string, Omit<Found, 'bank'>[]>()
  for (const { bank, ...match } of await findMatches(exchange, options, asked)) {
    if (names?.includes(bank) === false || (ratios.get(bank) ?? 0) < coin) continue
    const ofBank = answer.get(bank) ?? []
    ofBank.push(match)
    answer.set(bank, ofBank)
  }
  return Object.fromEntries(answer)
}

function typeOf(hashed: Hashed): HmaSignalType {
  return 'md5' in hashed ? VIDEO_MD5 : PDQ
}

/** HMA answers an empty hash for a picture that is too plain. */
function hashesOf(hashed: Hashed): Partial<Record<HmaSignalType, string>> {
  if ('md5' in hashed) return { [VIDEO_MD5]: hashed.md5 }
  if (!(hashed instanceof Problem)) return { [PDQ]: hashed.quality < SIGNAL_TYPES.pdq.minQuality ? '' : pdqOf(hashed) }
  if (hashed.code === 'quality-too-low') return { [PDQ]: '' }
  throw unhashed(hashed)
}

/** @throws the problem of a file that could not be hashed: an empty hash cannot be looked up. */
function askedOr(hashed: Hashed): Asked {
  if ('md5' in hashed) return askedBy(givenHash(VIDEO_MD5, hashed.md5, 'invalid signal'))
  if (!(hashed instanceof Problem)) return hashed
  throw hashed.code === 'quality-too-low' ? new HmaRefusal(400, `invalid signal: ${INVALID_PDQ}`) : unhashed(hashed)
}

function askedBy(given: GivenHash): Asked {
  return given.type === VPDQ ? askedByVpdq(given.video) : { signals: askedByHash(given.type, given.hash) }
}

/** How many pictures a query counts as. */
function countOf(asked: Asked): number {
  return 'frames' in asked ? Math.ceil(asked.frames.length / MAX_AREA_SIGNALS) : 1
}

function isKnown(type: string): boolean {
  return HMA_TYPES.some((known) => known === type)
}

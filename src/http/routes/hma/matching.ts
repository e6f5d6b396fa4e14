// HMA's `/h` and `/m`: hash a picture; look up a picture or a hash.
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { MAX_AREA_SIGNALS } from '../../../../packages/hash/src/image-hasher.js'
import type { HashedImage } from '../../../domain/matching/hashed-image.js'
import { GRADINGS, type Grading } from '../../../domain/matching/registry-size.js'
import { ownValue } from '../../../domain/own-value.js'
import { Problem } from '../../../domain/problem.js'
import type { Banks } from '../../../services/banks/banks.js'
import type { Contents } from '../../../services/interop/contents.js'
import type { Match } from '../../../services/matching/match.js'
import type { MatchIds } from '../../../services/matching/match-ids.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import type { AskedVideo, VideoMatcher } from '../../../services/matching/video/video-matcher.js'
import type { Health } from '../../../services/ops/health.js'
import { type ByAddressOptions, type Exchange, hashedFrom, hashedUpload } from '../../hma/by-address.js'
import { hashesOf } from '../../hma/content-signals.js'
import { type Comparison, compared } from '../../hma/hash-comparison.js'
import {
  askedByHash,
  askedByVpdq,
  coinOf,
  distanceText,
  type GivenHash,
  givenHash,
  SIGNAL_TYPES as HMA_TYPES,
  INVALID_PDQ,
  indexedTypeNamed,
  indexedTypes,
  PDQ,
  selectedTypes,
  signalTypeNamed,
  sizeOfIndex,
  VIDEO,
  VIDEO_MD5,
  VPDQ,
} from '../../hma/hma-signals.js'
import { isObject, type LaxFields, laxFields } from '../../hma/lax.js'
import { HmaRefusal, unhashed } from '../../hma/refusals.js'
import type { HmaVideo } from '../../hma/video-file.js'
import { callerOf } from '../../plugins/authentication.js'

export interface HmaMatchingOptions extends ByAddressOptions {
  readonly matcher: Matcher
  readonly videoMatcher: VideoMatcher
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly contents: Pick<Contents, 'idFor'>
  readonly banks: Pick<Banks, 'list'>
  readonly health: Pick<Health, 'report'>
  readonly now: () => number
}

type Query = Pick<HashedImage, 'signals' | 'isForm' | 'isObject'> | AskedVideo
/** The hashes of a file. */
type Hashed = HashedImage | HmaVideo | Problem

interface Found {
  readonly bank: string
  readonly bank_content_id: number
  readonly distance: string
}
type FoundMatch = Found & { readonly match: Match }

const CONFIG = { scope: 'match', queries: 'none', keyAlso: 'in-path' } as const
const LOOK_UP = { ...CONFIG, queries: 'counted' } as const
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
    return hashesOf(await hashedFrom(options, url, fields, 'vpdq', { request, reply }), fields.text('types'))
  })
}

function hashFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/h/hash', { config: { ...CONFIG, multipart: true }, schema }, async (request, reply) => {
    const types = laxFields(request.query).text('types')
    return hashesOf((await hashedUpload(options, types, 'vpdq', { request, reply })).result, types)
  })
}

function lookUpRawRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.get('/m/raw_lookup', { config: LOOK_UP, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const signal = fields.needed('signal')
    const type = fields.needed('signal_type')
    const names = fields.text('banks')?.split(',')
    const withDistance = fields.bool('include_distance') ?? false
    const grading = gradingIn(fields)
    fields.check()
    const asked = queryFor(givenHash(signalTypeNamed(type), signal, 'invalid signal'))
    request.consumeQuota(reply, countOf(asked))
    const found = await findMatches({ request, reply }, options, asked, grading)
    const all = found.filter(({ bank }) => names?.includes(bank) !== false)
    return {
      matches: withDistance
        ? all.map(({ bank: _, match: __, ...shown }) => shown)
        : all.map(({ bank_content_id: contentId }) => contentId),
    }
  })
}

function lookUpAddressOrHashRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.get('/m/lookup', { config: LOOK_UP, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [url, signal, type] = [fields.text('url'), fields.text('signal'), fields.text('signal_type')]
    const [names, seed, grading] = [fields.text('banks'), fields.text('seed'), gradingIn(fields)]
    fields.check()
    if (url !== undefined) {
      if (type !== undefined) signalTypeNamed(type)
      const result = await hashedFrom(options, url, fields, 'query', { request, reply })
      const asked = { types: fields.text('types'), banks: names, coin: coinOf(seed), grading }
      const found = await lookUpFile({ request, reply }, options, result, asked)
      return type === undefined ? found : (ownValue(found, type) ?? {})
    }
    if (signal === undefined || type === undefined)
      throw new HmaRefusal(400, 'Either url or both signal and signal_type are required')
    const asked = queryFor(givenHash(signalTypeNamed(type), signal, 'invalid signal'))
    request.consumeQuota(reply, countOf(asked))
    return await lookUp({ request, reply }, options, { asked, banks: names, coin: coinOf(seed), grading })
  })
}

function lookUpFileRoute(app: FastifyInstance, options: HmaMatchingOptions): void {
  app.post('/m/lookup', { config: { ...LOOK_UP, multipart: true }, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [banks, seed, grading] = [fields.text('banks'), fields.text('seed'), gradingIn(fields)]
    const coin = fields.text('bypass_coinflip') === 'true' ? 0 : coinOf(seed)
    const types = fields.text('types')
    const { result } = await hashedUpload(options, types, 'query', { request, reply })
    return await lookUpFile({ request, reply }, options, result, { types, banks, coin, grading })
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

async function findMatches(
  { request, reply }: Exchange,
  { matcher, videoMatcher, matchIds, contents }: HmaMatchingOptions,
  asked: Query,
  grading: Grading | undefined,
): Promise<FoundMatch[]> {
  const caller = callerOf(request)
  const options = {
    orgId: caller.orgId,
    banks: undefined,
    thresholdBits: undefined,
    grading,
    knowsDistance: caller.scopes.has('match:distance'),
    // HMA's answer has no field for truncation.
    onTruncated: () => void reply.header('tabir-truncated', 'true'),
  }
  const [matches] =
    'frames' in asked
      ? await videoMatcher.matchVideos([asked], options)
      : await matcher.match([asked.signals], { ...options, looksOf: () => asked })
  // HMA's answer has no grade. Its clients would act on a match of the grade `review`, so it is left out.
  const actionable = (matches ?? []).filter(({ grade }) => grade !== 'review')
  return actionable.map((match) => {
    const imageId = matchIds.imageOf(caller.orgId, match.matchId)
    if (imageId === undefined) throw new Error('a match id that was given is known')
    return {
      match,
      bank: match.bank,
      bank_content_id: contents.idFor(caller.orgId, imageId),
      distance: distanceText(match, caller, 'frames' in asked ? asked.frames.length : undefined),
    }
  })
}

/** @returns matches by the types with which the file was hashed, and by bank. A video is queried once, by its file hash and its frames. */
async function lookUpFile(
  exchange: Exchange,
  options: HmaMatchingOptions,
  hashed: Hashed,
  { types, ...how }: Omit<LookUp, 'asked'> & { readonly types: string | undefined },
) {
  const { request, reply } = exchange
  const asked = queryForFile(hashed)
  request.consumeQuota(reply, countOf(asked))
  const found = await findMatches(exchange, options, asked, how.grading)
  if (hashed instanceof Problem || !('md5' in hashed)) return { [PDQ]: byBank(exchange, options, found, how) }
  const selected = selectedTypes(types, VIDEO)
  const { video } = hashed
  const ofFile = found.filter(({ match }) => match.signalType === VIDEO_MD5)
  const byFrames = found.filter(({ match: { signalType, segments, queryMs } }) => {
    return signalType !== VIDEO_MD5 || segments !== undefined || queryMs !== undefined
  })
  const shown = byFrames.map(({ match, ...rest }) => ({
    ...{ match, ...rest },
    distance: distanceText({ ...match, signalType: PDQ }, callerOf(request), video?.frames.length),
  }))
  return {
    ...(selected?.includes(VIDEO_MD5) !== false && { [VIDEO_MD5]: byBank(exchange, options, ofFile, how) }),
    ...(video !== undefined && { [VPDQ]: byBank(exchange, options, shown, how) }),
  }
}

interface LookUp {
  readonly asked: Query
  /** Comma-separated names; `undefined` for all banks. */
  readonly banks: string | undefined
  /** A bank answers if its enabled ratio is at least this number. */
  readonly coin: number
  readonly grading: Grading | undefined
}

/** @returns matches by bank. A disabled bank never answers. */
async function lookUp(exchange: Exchange, options: HmaMatchingOptions, { asked, ...how }: LookUp) {
  return byBank(exchange, options, await findMatches(exchange, options, asked, how.grading), how)
}

function byBank(
  exchange: Exchange,
  options: HmaMatchingOptions,
  found: readonly FoundMatch[],
  { banks, coin }: Omit<LookUp, 'asked' | 'grading'>,
) {
  const names = banks?.split(',')
  const listed = options.banks.list(callerOf(exchange.request))
  const ratios = new Map(listed.map(({ shownAs, enabledRatio }) => [shownAs, enabledRatio ?? 1]))
  const answer = new Map<string, Omit<Found, 'bank'>[]>()
  for (const { bank, match: _, ...shown } of found) {
    if (names?.includes(bank) === false || (ratios.get(bank) ?? 0) < coin) continue
    const ofBank = answer.get(bank) ?? []
    ofBank.push(shown)
    answer.set(bank, ofBank)
  }
  return Object.fromEntries(answer)
}

/** @throws {Problem} the problem of a file that could not be hashed, because without a hash nothing can be looked up. */
function queryForFile(hashed: Hashed): Query {
  if ('md5' in hashed) {
    const file = queryFor(givenHash(VIDEO_MD5, hashed.md5, 'invalid signal'))
    return hashed.video === undefined || 'frames' in file ? file : { frames: hashed.video.frames, file: [...file.signals] }
  }
  if (!(hashed instanceof Problem)) return hashed
  throw hashed.code === 'quality-too-low' ? new HmaRefusal(400, `invalid signal: ${INVALID_PDQ}`) : unhashed(hashed)
}

function queryFor(given: GivenHash): Query {
  return given.type === VPDQ ? askedByVpdq(given.video) : { signals: askedByHash(given.type, given.hash) }
}

/** How many pictures a query counts as. */
function countOf(asked: Query): number {
  if (!('frames' in asked)) return 1
  return Math.ceil(asked.frames.reduce((sum, { signals }) => sum + signals.length, 0) / MAX_AREA_SIGNALS)
}

function gradingIn(fields: LaxFields): Grading | undefined {
  const text = fields.text('grading')
  const grading = GRADINGS.find((one) => one === text)
  if (text !== undefined && grading === undefined) throw new HmaRefusal(400, `grading must be ${GRADINGS.join(' or ')}`)
  return grading
}

function isKnown(type: string): boolean {
  return HMA_TYPES.some((known) => known === type)
}

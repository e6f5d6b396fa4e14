// HMA's `/h` and `/m`: hash a picture, look a picture or a hash up.

import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { HashedImage } from '../../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../../domain/matching/signal-types.js'
import type { Caller } from '../../../domain/organisations/access.js'
import { Problem } from '../../../domain/problem.js'
import { distance, type Hash256 } from '../../../hash/hash256.js'
import type { Banks } from '../../../services/banks/banks.js'
import type { Contents } from '../../../services/interop/contents.js'
import type { Match } from '../../../services/matching/match.js'
import type { MatchIds } from '../../../services/matching/match-ids.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import type { Health } from '../../../services/ops/health.js'
import { type ByAddressOptions, hashedFrom } from '../../hma/by-address.js'
import { isObject, laxFields } from '../../hma/lax.js'
import { HmaRefusal, unhashed } from '../../hma/refusals.js'
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
} from '../../hma/signals.js'
import { callerOf } from '../../plugins/door.js'
import { oneFile } from '../../upload.js'

/** HMA has one threshold for all. */
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

export const hmaMatchingRoutes: FastifyPluginAsync<HmaMatchingOptions> = async (app, options) => {
  const { matcher, matchIds, contents, banks, hashing, health, uploadLimits, inFlight, now } = options
  const config = { scope: 'match', keyAlso: 'in-path' } as const
  const schema = { hide: true }

  async function found(caller: Caller, { signals, isForm }: Asked, reply: FastifyReply): Promise<Found[]> {
    const [matches] = await matcher.match([signals], {
      orgId: caller.orgId,
      banks: undefined,
      thresholdBits: undefined,
      isFormOf: () => isForm === true,
      knowsDistance: caller.scopes.has('match:distance'),
      // HMA's answers have no place for it.
      onTruncated: () => void reply.header('tabir-truncated', 'true'),
    })
    // Nor for a grade: what is for review alone would be acted on.
    const sure = (matches ?? []).filter(({ grade }) => grade !== 'review')
    return sure.map((match) => ({
      bank: match.bank,
      bank_content_id: contents.idFor(caller.orgId, imageOf(caller, match)),
      distance: distanceText(match, caller),
    }))
  }

  function imageOf({ orgId }: Caller, { matchId }: Match): string {
    const imageId = matchIds.imageOf(orgId, matchId)
    if (imageId === undefined) throw new Error('a match id that was given is known')
    return imageId
  }

  /** By bank, as far as the coin lets each speak. A bank that is switched off speaks to nobody, whatever was asked. */
  async function lookUp({ request, reply }: Exchange, picture: Asked, asked: string | undefined, coin: number) {
    const caller = callerOf(request)
    const names = asked?.split(',')
    const ratios = new Map(banks.list(caller).map(({ shownAs, enabledRatio }) => [shownAs, enabledRatio ?? 1]))
    const answer = new Map<string, Omit<Found, 'bank'>[]>()
    for (const { bank, ...match } of await found(caller, picture, reply)) {
      if (names?.includes(bank) === false || (ratios.get(bank) ?? 0) < coin) continue
      const ofBank = answer.get(bank) ?? []
      ofBank.push(match)
      answer.set(bank, ofBank)
    }
    return Object.fromEntries(answer)
  }

  app.get('/h/hash', { config, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const url = fields.needed('url')
    fields.check()
    return { [PDQ]: hashText(await hashedFrom(options, url, fields, 'query', request.hashingFor(reply))) }
  })

  app.post('/h/hash', { config: { ...config, multipart: true }, schema }, async (request, reply) => {
    selectedTypes(laxFields(request.query).text('types'))
    const { result } = await oneFile(request, uploadLimits, inFlight, contentTypeNamed, async (image) =>
      hashing.hash(image, 'query', 'none', request.hashingFor(reply)),
    )
    await request.enterAgain()
    return { [PDQ]: hashText(result) }
  })

  app.get('/m/raw_lookup', { config, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const signal = fields.needed('signal')
    const type = fields.needed('signal_type')
    const names = fields.text('banks')?.split(',')
    const withDistance = fields.bool('include_distance') ?? false
    fields.check()
    signalTypeNamed(type)
    const asked = askedByHash(pdqHash(signal, 'invalid signal'))
    request.spend(reply, 1)
    const all = (await found(callerOf(request), { signals: asked }, reply)).filter(
      ({ bank }) => names?.includes(bank) !== false,
    )
    return {
      matches: withDistance
        ? all.map(({ bank: _, ...match }) => match)
        : all.map(({ bank_content_id: contentId }) => contentId),
    }
  })

  app.get('/m/lookup', { config, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [url, signal, type] = [fields.text('url'), fields.text('signal'), fields.text('signal_type')]
    const [names, seed] = [fields.text('banks'), fields.text('seed')]
    fields.check()
    if (url !== undefined) {
      if (type !== undefined) signalTypeNamed(type)
      const result = await hashedFrom(options, url, fields, 'query', request.hashingFor(reply))
      request.spend(reply, 1)
      const found = await lookUp({ request, reply }, hashedOr(result), names, coinOf(seed))
      return type === undefined ? { [PDQ]: found } : found
    }
    if (signal === undefined || type === undefined)
      throw new HmaRefusal(400, 'Either url or both signal and signal_type are required')
    signalTypeNamed(type)
    const asked = askedByHash(pdqHash(signal, 'invalid signal'))
    request.spend(reply, 1)
    return await lookUp({ request, reply }, { signals: asked }, names, coinOf(seed))
  })

  app.post('/m/lookup', { config: { ...config, multipart: true }, schema }, async (request, reply) => {
    const fields = laxFields(request.query)
    const [names, seed] = [fields.text('banks'), fields.text('seed')]
    const coin = fields.text('bypass_coinflip') === 'true' ? 0 : coinOf(seed)
    selectedTypes(fields.text('types'))
    const { result } = await oneFile(request, uploadLimits, inFlight, contentTypeNamed, async (image) =>
      hashing.hash(image, 'query', 'none', request.hashingFor(reply)),
    )
    await request.enterAgain()
    request.spend(reply, 1)
    return { [PDQ]: await lookUp({ request, reply }, hashedOr(result), names, coin) }
  })

  app.post('/m/compare', { config, schema }, async ({ body }) => {
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

  app.get('/m/index/status', { config, schema }, async ({ query }) => {
    indexedTypeNamed(laxFields(query).text('signal_type'))
    const report = health.report()
    if (report instanceof Problem) throw report
    return { [PDQ]: { present: true, built_to: Math.floor(now() / 1000), size: report.rows[PDQ] ?? 0 } }
  })
}

/** A picture that is too plain to be banked has an empty hash in HMA. */
function hashText(hashed: HashedImage | Problem): string {
  if (!(hashed instanceof Problem)) return hashed.quality < SIGNAL_TYPES[PDQ].minQuality ? '' : pdqOf(hashed)
  if (hashed.code === 'quality-too-low') return ''
  throw unhashed(hashed)
}

/** And an empty hash is none that could be looked up. */
function hashedOr(hashed: HashedImage | Problem): HashedImage {
  if (!(hashed instanceof Problem)) return hashed
  throw hashed.code === 'quality-too-low' ? new HmaRefusal(400, `invalid signal: ${INVALID_PDQ}`) : unhashed(hashed)
}

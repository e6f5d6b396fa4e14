// Matches of a query, in HMA's form and by bank.

import type { HashedImage } from '../../../packages/core/src/matching/hashed-image.js'
import type { Grading } from '../../../packages/core/src/matching/registry-size.js'
import { MAX_AREA_SIGNALS } from '../../../packages/hash/src/image-hasher.js'
import { Problem } from '../../domain/problem.js'
import type { Banks } from '../../services/banks/banks.js'
import type { Contents } from '../../services/interop/contents.js'
import { type Match, NO_RESULT, type QueryPicture } from '../../services/matching/match.js'
import type { MatchIds } from '../../services/matching/match-ids.js'
import type { Matcher } from '../../services/matching/matcher.js'
import type { AskedVideo, VideoMatcher } from '../../services/matching/video/video-matcher.js'
import { callerOf } from '../plugins/authentication.js'
import type { Exchange } from '../upload.js'
import {
  askedByHash,
  askedByVpdq,
  distanceText,
  type GivenHash,
  givenHash,
  INVALID_PDQ,
  PDQ,
  selectedTypes,
  VIDEO,
  VIDEO_MD5,
  VPDQ,
} from './hma-signals.js'
import { HmaRefusal, problemOfUpload } from './refusals.js'
import type { HmaVideo } from './video-file.js'

export interface BankMatchOptions {
  readonly matcher: Matcher
  readonly videoMatcher: VideoMatcher
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly contents: Pick<Contents, 'idFor'>
  readonly banks: Pick<Banks, 'list'>
}

type Query = QueryPicture | AskedVideo

/** A match as HMA shows it, with the bank and the match that it comes from. */
export interface BankMatch {
  readonly bank: string
  readonly match: Match
  readonly shown: { readonly bank_content_id: number; readonly distance: string }
}

export interface BankChoice {
  /** Comma-separated names; `undefined` for all banks. */
  readonly banks: string | undefined
  /** A bank answers if its enabled ratio is at least this number. */
  readonly coin: number
}

/** Consumes the quota of the query. @returns its matches in all banks. */
export async function findMatches(
  { request, reply }: Exchange,
  { matcher, videoMatcher, matchIds, contents }: BankMatchOptions,
  asked: Query,
  grading: Grading | undefined,
): Promise<BankMatch[]> {
  request.consumeQuota(reply, countOf(asked))
  const caller = callerOf(request)
  const options = {
    orgId: caller.orgId,
    banks: undefined,
    thresholdBits: undefined,
    grading,
    knowsDistance: caller.scopes.has('match:distance'),
  }
  const [{ matches, isTruncated } = NO_RESULT] =
    'frames' in asked ? await videoMatcher.matchVideos([asked], options) : await matcher.match([asked], options)
  // HMA's answer has no field for truncation.
  if (isTruncated) void reply.header('tabir-truncated', 'true')
  // HMA's answer has no grade. Its clients would act on a match of the grade `review`, so it is left out.
  const actionable = matches.filter(({ grade }) => grade !== 'review')
  return actionable.map((match) => {
    const imageId = matchIds.imageOf(caller.orgId, match.matchId)
    if (imageId === undefined) throw new Error('a match id that was given is known')
    const distance = distanceText(match, caller, 'frames' in asked ? asked.frames.length : undefined)
    return { bank: match.bank, match, shown: { bank_content_id: contents.idFor(caller.orgId, imageId), distance } }
  })
}

/** @returns matches by bank, as HMA shows them. A disabled bank never answers. */
export function byBank({ request }: Exchange, { banks }: BankMatchOptions, found: readonly BankMatch[], choice: BankChoice) {
  const names = choice.banks?.split(',')
  const ratios = new Map(banks.list(callerOf(request)).map(({ shownAs, enabledRatio }) => [shownAs, enabledRatio ?? 1]))
  const answer = new Map<string, BankMatch['shown'][]>()
  for (const { bank, shown } of found) {
    if (names?.includes(bank) === false || (ratios.get(bank) ?? 0) < choice.coin) continue
    answer.set(bank, [...(answer.get(bank) ?? []), shown])
  }
  return Object.fromEntries(answer)
}

/** @returns matches by the types with which the file was hashed, and by bank. A video is queried once, by its file hash and its frames. */
export async function lookUpFile(
  exchange: Exchange,
  options: BankMatchOptions,
  hashed: HashedImage | HmaVideo | Problem,
  { types, grading, ...choice }: BankChoice & { readonly types: string | undefined; readonly grading: Grading | undefined },
) {
  const found = await findMatches(exchange, options, queryForFile(hashed), grading)
  if (hashed instanceof Problem || !('md5' in hashed)) return { [PDQ]: byBank(exchange, options, found, choice) }
  const selected = selectedTypes(types, VIDEO)
  const { video } = hashed
  const ofFile = found.filter(({ match }) => match.signalType === VIDEO_MD5)
  const byFrames = found.filter(({ match: { signalType, segments, queryMs } }) => {
    return signalType !== VIDEO_MD5 || segments !== undefined || queryMs !== undefined
  })
  const ofFrames = byFrames.map(({ match, shown, ...rest }) => {
    const distance = distanceText({ ...match, signalType: PDQ }, callerOf(exchange.request), video?.frames.length)
    return { ...rest, match, shown: { ...shown, distance } }
  })
  return {
    ...(selected?.includes(VIDEO_MD5) !== false && { [VIDEO_MD5]: byBank(exchange, options, ofFile, choice) }),
    ...(video !== undefined && { [VPDQ]: byBank(exchange, options, ofFrames, choice) }),
  }
}

/** @throws {Problem} the problem of a file that could not be hashed, because without a hash nothing can be looked up. */
function queryForFile(hashed: HashedImage | HmaVideo | Problem): Query {
  if ('md5' in hashed) {
    const file = queryFor(givenHash(VIDEO_MD5, hashed.md5, 'invalid signal'))
    return hashed.video === undefined || 'frames' in file ? file : { frames: hashed.video.frames, file: [...file.signals] }
  }
  if (!(hashed instanceof Problem)) return hashed
  throw hashed.code === 'quality-too-low' ? new HmaRefusal(400, `invalid signal: ${INVALID_PDQ}`) : problemOfUpload(hashed)
}

export function queryFor(given: GivenHash): Query {
  return given.type === VPDQ ? askedByVpdq(given.video) : { signals: askedByHash(given.type, given.hash) }
}

/** How many pictures a query counts as. */
function countOf(asked: Query): number {
  if (!('frames' in asked)) return 1
  return Math.ceil(asked.frames.reduce((sum, { signals }) => sum + signals.length, 0) / MAX_AREA_SIGNALS)
}

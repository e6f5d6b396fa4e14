// "Is this picture one of those, or a changed copy?", from memory alone.

import { marginBits } from '../../domain/matching/edges.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../domain/matching/signal-types.js'
import { type Bank, isAnswering, isVisibleTo, ownReachOf, widestThresholdOf } from '../../domain/organisations/bank.js'
import { Problem } from '../../domain/problem.js'
import { isCopy, sketchOf } from '../../domain/trust/flood.js'
import type { AskedView } from '../../hash/details/features.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Replica } from '../index/replica.js'
import type { Searcher } from '../index/searcher.js'
import type { TurnsOfLoop } from '../load/event-loop-scheduler.js'
import { turnEnds } from '../load/yielding.js'
import { gathered, inTurns, isNowhere, NOTHING_AHEAD, type Radius, searchAhead, type WidestOf } from './batch-search.js'
import type { DetailFinder } from './detail-finder.js'
import { mostMatchesOf } from './fair-share.js'
import type { Match, MatchOptions } from './match.js'
import { accountOfDetails, matchesByDetails } from './match-by-details.js'
import { type Answer, type FoundByHashes, inOrder, matchesByHashes, NOTHING_FOUND } from './match-by-hashes.js'
import type { MatchIds } from './match-ids.js'
import type { Sightings } from './match-recorder.js'
import { createObserved, NOT_OBSERVED } from './observed.js'
import type { ProbingGuard, Screen } from './probing-guard.js'

export interface Matcher {
  /** Can it match by details? Elsewhere views are left unlooked at. */
  readonly knowsDetails: boolean
  /**
   * For each picture, given by its signals, all registered images within the threshold: nearest first, each image once; then those
   * that its details find. Exact, but for details. Gives way to others of this process every millisecond or so, also where pictures are made one by one. All are
   * searched for before the first is answered. Where very much is near, a fair share of it (`MOST_MATCHES`).
   * @throws {Problem} bank-unknown, index-loading, store-unavailable, key-suspended
   */
  match(pictures: Iterable<readonly HashedSignal[]>, options: MatchOptions): Promise<Match[][]>
}

export interface MatcherParts {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly matchIds: MatchIds
  /** `undefined` where extended protection is off. */
  readonly finder: DetailFinder | undefined
  /** Told of what was answered; waits for nothing. */
  readonly sightings: Pick<Sightings, 'note'>
  /** Told of what was asked, before it is answered. */
  readonly probing: Pick<ProbingGuard, 'isOn' | 'see' | 'radiusOf'>
  /** So that nobody keeps the event loop from others. */
  readonly turns: Pick<TurnsOfLoop, 'pace' | 'atEndOfTurn'>
}

export function matcherOver({ replica, matchIds, finder, sightings, probing, turns }: MatcherParts): Matcher {
  const turnEnd = turnEnds(turns.atEndOfTurn)
  return {
    knowsDetails: finder !== undefined,
    async match(pictures, options) {
      await turnEnd()
      const catalogue = replica.catalogue
      const searcher = catalogue.searcher()
      try {
        return await matchIn(catalogue, searcher, pictures, options)
      } finally {
        searcher.release()
      }
    },
  }

  async function matchIn(
    catalogue: Catalogue,
    searcher: Searcher,
    pictures: Iterable<readonly HashedSignal[]>,
    options: MatchOptions,
  ): Promise<Match[][]> {
    const banks = banksAsked(catalogue, options)
    const widestOf = widestIn(banks, options, probing.isOn)
    const giveWay = turns.pace()
    const answers: Answer[] = []
    // By what was found, and not by what is told of it, which may be coarse.
    const copies = new WeakSet<Match>()
    const all = Array.isArray(pictures) ? pictures : await inTurns(gathered(pictures), giveWay)
    const radiusOf = (imageId: string) => probing.radiusOf(options.orgId, imageId)
    const asking = { searcher, banks, widestOf, options, matchIds, most: mostMatchesOf(all.length), radiusOf }
    const ahead = all.length > 1 ? await inTurns(searchAhead(searcher, all, widestOf), giveWay) : NOTHING_AHEAD
    for (const [picture, signals] of all.entries()) {
      // Waiting costs more than all else that is done for a picture which nothing is near to, so only when it is time.
      const turn = giveWay()
      if (turn !== undefined) await turn
      const found = isNowhere(signals, ahead) ? NOTHING_FOUND : await answerByHashes(picture, signals)
      if (found.isTruncated) options.onTruncated?.(picture)
      const byHashes = found.answer
      const views = viewsAsked(picture, byHashes)
      const answer = views === undefined ? byHashes : await withDetails(views, byHashes)
      options.onMatched?.(picture, matchesIn(answer, catalogue, options.orgId))
      answers.push(answer)
    }

    // A long batch gave way to others in between: what was withdrawn meanwhile is not named, and a catalogue that is no
    // longer the store's is not answered from.
    if (replica.catalogue !== catalogue) throw new Problem('index-loading', { retryAfterS: 1 })
    return answers.map((answer, i) => {
      if (answer.length === 0) return []
      const standing = answer.filter(({ ordinal }) => searcher.has(ordinal))
      const met = standing.filter(({ match }) => match.grade !== 'review')
      const look = lookOf(all[i] ?? [])
      const noted = met.map(({ imageId, match }) => ({ imageId, look: copies.has(match) ? undefined : look }))
      sightings.note(options.orgId, noted, options.contexts?.[i])
      const matches = matchesIn(standing, catalogue, options.orgId)
      if (standing.length < answer.length) options.onMatched?.(i, matches)
      return matches
    })

    /** Of a narrowed image nothing but copies. */
    function isTold({ imageId, match }: Answer[number]): boolean {
      return isCopy(match) || !catalogue.isNarrowed(imageId)
    }

    async function answerByHashes(picture: number, signals: readonly HashedSignal[]): Promise<FoundByHashes> {
      const observed = probing.isOn ? createObserved(options.thresholdBits) : NOT_OBSERVED
      const found = await inTurns(matchesByHashes(signals, ahead, asking, observed, options.isFormOf?.(picture)), giveWay)
      const answer = found.answer.filter(isTold)
      // The end of a band is where a narrowed image ceases to match, and so it is an outer edge.
      const observations = observed
        .all()
        .map((one) => (one.edge === 'inner' && catalogue.isNarrowed(one.imageId) ? { ...one, edge: 'outer' as const } : one))
      const seen = probing.see(options.orgId, observations, options.knowsDistance === true)
      const screen = seen instanceof Promise ? await seen : seen
      const told = answer.flatMap((each) => {
        const match = screen === undefined ? each.match : screen(each.imageId, each.match)
        if (match !== undefined && isCopy(each.match)) copies.add(match)
        return match === undefined ? [] : [{ ...each, match }]
      })
      if (screen === undefined) return { ...found, answer: told }
      return { ...found, answer: told.sort((a, b) => inOrder(a.match, b.match)) }
    }

    /** Of a picture that is to be looked for by its details as well. */
    function viewsAsked(picture: number, byHashes: Answer): readonly AskedView[] | undefined {
      const { depth = 'auto', viewsOf } = options
      if (finder === undefined || depth === 'hashes') return undefined
      const isFound = byHashes.some(({ match }) => match.grade !== 'review')
      return depth === 'auto' && isFound ? undefined : viewsOf?.(picture)
    }

    /** Of an image that hashes found for review alone, details speak. */
    async function withDetails(views: readonly AskedView[], byHashes: Answer): Promise<Answer> {
      if (finder === undefined) return byHashes
      const { orgId, mirrors = true } = options
      const except = new Set(byHashes.filter(({ match }) => match.grade !== 'review').map(({ ordinal }) => ordinal))
      const matchIdOf = (imageId: string) => matchIds.idFor(orgId, imageId)
      const asked = { searcher, banks, mirrors, except, giveWay, matchIdOf }
      const { answer, observations } = await matchesByDetails(finder, views, asked)
      const seen = probing.see(orgId, observations, options.knowsDistance === true)
      const found = screened(seen instanceof Promise ? await seen : seen, answer, accountOfDetails)
      const spoken = new Set(found.map(({ ordinal }) => ordinal))
      return [...byHashes.filter(({ ordinal }) => !spoken.has(ordinal)), ...found.filter(isTold)]
    }
  }
}

/** As an organisation is told it. */
function screened(screen: Screen | undefined, answer: Answer, accountOf: (imageId: string) => string): Answer {
  if (screen === undefined) return answer
  return answer.flatMap((each) => {
    const match = screen(accountOf(each.imageId), each.match)
    return match === undefined ? [] : [{ ...each, match }]
  })
}

/** How an upload looks, by the hash of the whole of it where that was sent; `undefined` where none was, which looks like nothing. */
function lookOf(signals: readonly HashedSignal[]): number | undefined {
  const { hashes: [hash] = [] } = signals.find(({ type }) => type === 'pdq') ?? signals[0] ?? {}
  return hash === undefined ? undefined : sketchOf(hash)
}

/** With the names that the caller calls the banks by. */
function matchesIn(answer: Answer, { banks }: Catalogue, orgId: string): Match[] {
  if (!banks.isAnyShared) return answer.map(({ match }) => match)
  return answer.map(({ match }) => {
    const bank = banks.get(match.bank)
    return bank === undefined ? match : { ...match, bank: banks.shownTo(orgId, bank) }
  })
}

/** The widest radius that any of the banks asks for, by type; looked for once and not for each picture. @param withMargin search a little farther? */
function widestIn(
  banks: ReadonlyMap<string, Bank>,
  { thresholdBits, orgId }: Pick<MatchOptions, 'thresholdBits' | 'orgId'>,
  withMargin: boolean,
): WidestOf {
  const widest = new Map<string, Radius>()
  return (type, view, turned) => {
    const key = `${type} ${view} ${turned}`
    const known = widest.get(key)
    if (known !== undefined) return known
    const reachOf = (bank: Bank) => Math.max(widestThresholdOf(bank, type, view, turned), ownReachOf(bank, type, orgId))
    const asked = thresholdBits ?? Math.max(...Array.from(banks.values(), reachOf))
    const bits = Math.min(asked, SIGNAL_TYPES[type].maxThresholdBits)
    const radius = { bits, marginBits: withMargin ? marginBits(type, bits) : 0 }
    widest.set(key, radius)
    return radius
  }
}

function banksAsked(
  catalogue: Catalogue,
  { banks: names, orgId }: Pick<MatchOptions, 'banks' | 'orgId'>,
): ReadonlyMap<string, Bank> {
  const asked = new Map<string, Bank>()
  if (names === undefined) {
    for (const [name, bank] of catalogue.banks) if (isAnswering(bank) && isVisibleTo(bank, orgId)) asked.set(name, bank)
    return asked
  }
  for (const name of names) {
    const bank = catalogue.banks.named(orgId, name)
    if (bank?.purpose !== 'match' || bank.removedAtMs !== undefined || !isVisibleTo(bank, orgId))
      throw new Problem('bank-unknown')
    if (isAnswering(bank)) asked.set(bank.name, bank)
  }
  return asked
}

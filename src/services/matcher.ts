// "Is this picture one of those, or a changed copy?", from memory alone.

import { aloneThresholdOf, type Bank, isAnswering, isVisibleTo, thresholdOf, widestThresholdOf } from '../domain/bank.js'
import {
  type ComparedViews,
  contentOf,
  dependsOnContent,
  reviewBits,
  TOGETHER_BITS,
  widestWitnessBits,
} from '../domain/evidence.js'
import { type DistanceBand, distanceBandOf, type Grade, gradeOf, isExact, type MatchFacts } from '../domain/grade.js'
import type { HashedSignal } from '../domain/hashed-image.js'
import { Problem } from '../domain/problem.js'
import type { Category, Tier, View } from '../domain/signal.js'
import { type RowType, SIGNAL_TYPE_NAMES, SIGNAL_TYPES, type SignalType } from '../domain/signal-types.js'
import { type Sighting, Witnesses } from '../domain/witnesses.js'
import type { AskedView } from '../hash/details/features.js'
import type { Hash256 } from '../hash/hash256.js'
import { type TransformName, transforms, waysOf } from '../hash/transforms.js'
import type { Hit } from '../search/signal-index.js'
import { type Catalogue, type CatalogueImage, viewOf } from './catalogue.js'
import type { DetailFinder } from './detail-finder.js'
import { type MatchedDetails, matchesByDetails } from './match-by-details.js'
import type { MatchIds } from './match-ids.js'
import { turnEnds } from './pace.js'
import type { ProbingGuard } from './probing-guard.js'
import type { Replica } from './replica.js'
import { type FoundAhead, inTurns, NOTHING_AHEAD, searchAhead, someAtATime, type WidestBits } from './search-ahead.js'
import type { Sightings } from './sightings.js'
import { type Lot, lotsOf } from './turns.js'
import type { TurnsOfLoop } from './turns-of-loop.js'
import { unvetoed } from './veto.js'

export interface Match {
  /** The same for the same image and tenant, and for no other tenant. */
  readonly matchId: string
  readonly grade: Grade
  /** Of a match by details the median over those that agree. */
  readonly distanceBits: number
  readonly distanceBand: DistanceBand
  readonly signalType: RowType
  /** Which part of the registered picture was recognised. */
  readonly view: View | 'details'
  /** What turns the picture that was asked about into the registered one. */
  readonly transform: TransformName
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** Only of a match by details. */
  readonly details?: MatchedDetails
}

/** auto: by details where hashes find nothing. full: by details as well. hashes: never by details. */
export const DEPTHS = ['auto', 'full', 'hashes'] as const
export type Depth = (typeof DEPTHS)[number]

export interface MatchOptions {
  /** The tenant that asks; match ids are its own. */
  readonly orgId: string
  /** Names; undefined for all that the tenant may know of. */
  readonly banks: readonly string[] | undefined
  /** Where the asking organisation saw the pictures, as it calls these places; in the order of the pictures. */
  readonly contexts?: readonly (string | undefined)[]
  /** In place of the banks' thresholds, as far as a type allows. */
  readonly thresholdBits: number | undefined
  /** Views of a picture, by its number, for a match by its details; asked when its turn comes. */
  readonly viewsOf?: (picture: number) => readonly AskedView[] | undefined
  readonly depth?: Depth
  /** Also find by details what a mirror shows? */
  readonly mirrors?: boolean
  /**
   * Told what a picture, by its number, is answered with as soon as that is known, so that an answer can be written while the next ones are
   * looked for; and once more if something of it was withdrawn before all were.
   */
  readonly onMatched?: (picture: number, matches: readonly Match[]) => void
}

export interface Matcher {
  /** Can it match by details? Elsewhere views are left unlooked at. */
  readonly knowsDetails: boolean
  /**
   * For each picture, given by its signals, all registered images within the threshold: nearest first, each image once; then those
   * that its details find. Exact, but for details. Gives way to others of this process every millisecond or so, and asks for the next picture when it comes to it.
   * @throws {Problem} bank-unknown, index-cold, store-away, key-suspended
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
  readonly probing: Pick<ProbingGuard, 'see'>
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
      const banks = banksAsked(catalogue, options)
      const widestBits = widestOf(banks, options.thresholdBits)
      const giveWay = turns.pace()
      const answers: Answer[] = []
      for (const some of someAtATime(pictures)) {
        const ahead = some.length > 1 ? await inTurns(searchAhead(catalogue, some, widestBits), giveWay) : NOTHING_AHEAD
        for (const signals of some) {
          const answering = answerTo(signals, ahead)
          let step = answering.next()
          // Waiting costs more than all else that is done for a picture which nothing is near to, so only when it is time.
          for (; step.done !== true; step = answering.next()) {
            const turn = giveWay()
            if (turn !== undefined) await turn
          }
          const answer = await withDetails(answers.length, step.value)
          options.onMatched?.(answers.length, matchesIn(answer))
          answers.push(answer)
          const wait = probing.see(options.orgId, { signals, met: step.value[0]?.imageId })
          if (wait !== undefined) await wait
        }
      }

      // A long batch gave way to others in between: what was withdrawn meanwhile is not named, and a catalogue that is no
      // longer the store's is not answered from.
      if (replica.catalogue !== catalogue) throw new Problem('index-cold', { retryAfterS: 1 })
      return answers.map((answer, i) => {
        const standing = answer.filter(({ ordinal }) => catalogue.has(ordinal))
        const met = standing.filter(({ match }) => match.grade !== 'review').map(({ imageId }) => imageId)
        sightings.note(options.orgId, met, options.contexts?.[i])
        const matches = matchesIn(standing)
        if (standing.length < answer.length) options.onMatched?.(i, matches)
        return matches
      })

      /** Of an image that hashes found for review alone, details speak. */
      async function withDetails(picture: number, byHashes: Answer): Promise<Answer> {
        const { depth = 'auto', viewsOf, orgId, mirrors = true } = options
        const isFound = byHashes.some(({ match }) => match.grade !== 'review')
        if (finder === undefined || depth === 'hashes' || (depth === 'auto' && isFound)) return byHashes
        const views = viewsOf?.(picture)
        if (views === undefined) return byHashes
        const except = new Set(byHashes.filter(({ match }) => match.grade !== 'review').map(({ ordinal }) => ordinal))
        const matchIdOf = (imageId: string) => matchIds.idFor(orgId, imageId)
        const found = await matchesByDetails(finder, views, { catalogue, banks, mirrors, except, giveWay, matchIdOf })
        const spoken = new Set(found.map(({ ordinal }) => ordinal))
        return [...byHashes.filter(({ ordinal }) => !spoken.has(ordinal)), ...found]
      }

      function* answerTo(signals: readonly HashedSignal[], ahead: FoundAhead): Generator<void, Answer, void> {
        const witnesses = new Witnesses()
        const found = yield* findNearest(catalogue, banks, signals, options.thresholdBits, widestBits, ahead, witnesses)
        if (found.size === 0) return []
        const isCorroborated = yield* corroborationOf(catalogue, found, signals)
        yield* lookForWitnesses(catalogue, found, signals, witnesses)
        const answer = []
        for (const each of found.values()) {
          yield
          const facts = { corroborated: isCorroborated(each), togetherBits: witnesses.togetherBits(each.hit.image) }
          const matchId = matchIds.idFor(options.orgId, each.image.id)
          const match = describe(each, facts, matchId)
          // Who asks no farther than the banks do is told what may be acted on, and nothing else; nobody is shown what is near by an algorithm
          // that never decides alone, and by no other: that is one pair of unrelated pictures in 2,000.
          const isWorthALook = SIGNAL_TYPES[each.type].decidesAlone || facts.corroborated
          if (match.grade !== 'review' || (options.thresholdBits !== undefined && isWorthALook))
            answer.push({ ordinal: each.hit.image, imageId: each.image.id, match })
        }
        return answer.sort((a, b) => inOrder(a.match, b.match))
      }
    },
  }
}

type Answer = readonly { readonly ordinal: number; readonly imageId: string; readonly match: Match }[]

function matchesIn(answer: Answer): Match[] {
  return answer.map(({ match }) => match)
}

interface Found {
  readonly hit: Hit
  readonly type: SignalType
  readonly views: ComparedViews
  /** Within the bank's threshold, rather than the wider one that was asked for? */
  readonly isWithin: boolean
  /** Within what one pair of views decides alone? */
  readonly isDecided: boolean
  /** Its place in `transforms`. */
  readonly way: number
  readonly image: CatalogueImage
  readonly bank: Bank
}

/** Pauses whenever it may give way to others, as do all that follow. */
function* findNearest(
  catalogue: Catalogue,
  banks: ReadonlyMap<string, Bank>,
  signals: readonly HashedSignal[],
  thresholdBits: number | undefined,
  widestBits: WidestBits,
  ahead: FoundAhead,
  witnesses: Witnesses,
): Generator<void, ReadonlyMap<number, Found>, void> {
  const nearest = new Map<number, Found>()
  for (const [place, signal] of signals.entries()) {
    const { type, view } = signal
    const isWitness = widestWitnessBits(type, view) !== undefined
    for (const [lot, { ways, turned, hashes }] of lotsOf(signal).entries()) {
      const foundAhead = ahead.get(signal)?.[lot]
      const hits = foundAhead ?? (yield* search(catalogue, type, hashes, widestBits(type, view, turned)))
      const content = hits.length === 0 || !dependsOnContent(type) ? 'full' : contentOf(signal)
      for (const hit of unvetoed(catalogue, type, { asked: view, turned }, hits)) {
        const image = catalogue.image(hit.image)
        const bank = banks.get(image?.bank ?? '')
        if (image === undefined || bank === undefined) continue
        const views = { asked: view, registered: viewOf(hit.view), turned, content }
        const ownBits = thresholdOf(bank, type, views)
        const widest = thresholdBits === undefined ? ownBits : Math.min(thresholdBits, reviewBits(type, views))
        if (hit.distanceBits > widest) continue
        if (isWitness && !turned) noteHit(witnesses, hit, { type, views, signal: place, ways, hashes })
        const isWithin = hit.distanceBits <= ownBits
        const isDecided = hit.distanceBits <= aloneThresholdOf(bank, type, views)
        const found = { hit, type, views, isWithin, isDecided, way: ways[hit.transform] ?? 0, image, bank }
        const known = nearest.get(hit.image)
        if (known === undefined || isNearer(found, known)) nearest.set(hit.image, found)
      }
    }
  }
  return nearest
}

/** The widest radius that any of the banks asks for, by type; looked for once and not for each picture. */
function widestOf(banks: ReadonlyMap<string, Bank>, thresholdBits: number | undefined): WidestBits {
  const widest = new Map<string, number>()
  return (type, view, turned) => {
    const key = `${type} ${view} ${turned}`
    const known = widest.get(key)
    if (known !== undefined) return known
    const asked =
      thresholdBits ?? Math.max(...Array.from(banks.values(), (bank) => widestThresholdOf(bank, type, view, turned)))
    const bits = Math.min(asked, SIGNAL_TYPES[type].maxThresholdBits)
    widest.set(key, bits)
    return bits
  }
}

/**
 * Between types bits cannot be compared: the type that is first in the table speaks for the image, unless another is exact. What is
 * within its threshold comes before what is not, which may have the fewer bits where views differ; and so does what decides alone.
 */
function isNearer(found: Found, known: Found): boolean {
  const isExactly = ({ type, hit }: Found) => isExact(type, hit.distanceBits)
  if (isExactly(found) !== isExactly(known)) return isExactly(found)
  if (found.isWithin !== known.isWithin) return found.isWithin
  if (found.type === known.type && found.isDecided !== known.isDecided) return found.isDecided
  if (found.type === known.type) return found.hit.distanceBits < known.hit.distanceBits
  return SIGNAL_TYPE_NAMES.indexOf(found.type) < SIGNAL_TYPE_NAMES.indexOf(known.type)
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
    const bank = catalogue.banks.get(name)
    if (bank?.purpose !== 'match' || bank.removedAtMs !== undefined || !isVisibleTo(bank, orgId))
      throw new Problem('bank-unknown')
    if (isAnswering(bank)) asked.set(name, bank)
  }
  return asked
}

function* search(
  catalogue: Catalogue,
  type: SignalType,
  needles: readonly Hash256[],
  thresholdBits: number,
): Generator<void, Hit[], void> {
  yield
  return yield* catalogue.index(type).search(needles, thresholdBits)
}

/**
 * Does another kind of hash of the same picture, turned the same way, agree with a match? Asked of the indexes rather than of
 * hashes kept with each image: few of millions are ever matched.
 */
function* corroborationOf(
  catalogue: Catalogue,
  found: ReadonlyMap<number, Found>,
  asked: readonly HashedSignal[],
): Generator<void, (match: Found) => boolean, void> {
  const agreeing = new Set<string>()
  const keyOf = (algorithm: string, way: number, image: number) => `${algorithm} ${way} ${image}`
  const ways = new Set(Array.from(found.values(), ({ way }) => way))
  for (const { type, view, hashes } of asked) {
    const { algorithm, corroboratesBits } = SIGNAL_TYPES[type]
    if (view !== 'whole' || ![...found.values()].some((match) => SIGNAL_TYPES[match.type].algorithm !== algorithm)) continue
    for (const way of ways) {
      const hash = hashes[waysOf(hashes.length).indexOf(way)]
      if (hash === undefined) continue
      for (const hit of yield* search(catalogue, type, [hash], corroboratesBits)) {
        if (found.has(hit.image) && viewOf(hit.view) === 'whole') agreeing.add(keyOf(algorithm, way, hit.image))
      }
    }
  }
  return ({ hit, type, way }) =>
    ALGORITHMS.some((other) => other !== SIGNAL_TYPES[type].algorithm && agreeing.has(keyOf(other, way, hit.image)))
}

const ALGORITHMS = [...new Set(SIGNAL_TYPE_NAMES.map((type) => SIGNAL_TYPES[type].algorithm))]

/**
 * Notes in which other views the pictures were seen that were found. A copy is seen in several, and what is near by chance is not. What the
 * search for matches found within its own radius is noted already, and only when that is not enough to be sure is it looked farther out: for
 * few pictures, since few have anything near.
 */
function* lookForWitnesses(
  catalogue: Catalogue,
  found: ReadonlyMap<number, Found>,
  asked: readonly HashedSignal[],
  witnesses: Witnesses,
): Generator<void, void, void> {
  const open = new Set(
    [...found.values()]
      .filter(({ type, hit }) => !isExact(type, hit.distanceBits))
      .map(({ hit }) => hit.image)
      .filter((image) => witnesses.togetherBits(image) > TOGETHER_BITS.strong),
  )
  if (open.size === 0) return
  for (const [signal, { type, view, ...turns }] of asked.entries()) {
    const widest = widestWitnessBits(type, view)
    if (widest === undefined) continue
    const upright = lotsOf({ type, view, ...turns }).find(({ turned }) => !turned)
    if (upright === undefined) continue
    const hits = yield* search(catalogue, type, upright.hashes, widest)
    for (const hit of unvetoed(catalogue, type, { asked: view, turned: false }, hits)) {
      const views = { asked: view, registered: viewOf(hit.view) }
      if (open.has(hit.image)) noteHit(witnesses, hit, { type, views, signal, ...upright })
    }
  }
}

function noteHit(
  witnesses: Witnesses,
  { image, transform, distanceBits }: Hit,
  { ways, hashes, ...asked }: Pick<Sighting, 'type' | 'views' | 'signal'> & Pick<Lot, 'ways' | 'hashes'>,
): void {
  const hash = hashes[transform]
  if (hash !== undefined) witnesses.note(image, { ...asked, way: ways[transform] ?? 0, hash, distanceBits })
}

function describe(
  { image, bank, type, views, way, hit: { distanceBits } }: Found,
  agreeing: Pick<MatchFacts, 'corroborated' | 'togetherBits'>,
  matchId: string,
): Match {
  return {
    matchId,
    grade: gradeOf({ bank, signalType: type, views, distanceBits, ...agreeing }),
    distanceBits,
    distanceBand: distanceBandOf(distanceBits),
    signalType: type,
    view: views.registered,
    transform: transformName(way),
    bank: image.bank,
    tier: image.tier,
    category: image.category,
    disputed: image.disputed,
  }
}

function inOrder(a: Match, b: Match): number {
  return a.distanceBits - b.distanceBits || (a.matchId < b.matchId ? -1 : 1)
}

function transformName(way: number): TransformName {
  const transform = transforms[way]
  if (transform === undefined) throw new RangeError('a picture is asked about in at most eight ways')
  return transform.name
}

// Known harmless pictures, and what must not be found because of them.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { isNearEdge } from '../../domain/matching/edges.js'
import type { ComparedViews } from '../../domain/matching/evidence.js'
import type { Signal } from '../../domain/matching/signal.js'
import { viewOf } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import { type Bank, JUDGED_HARMLESS_BANK, thresholdOf, widestThresholdOf } from '../../domain/organisations/bank.js'
import type { Hit } from '../../search/hit.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Searcher } from '../index/searcher.js'
import type { Observed } from './observed.js'

/** What is asked about hits: by the searcher that found them, or at the same moment. */
type Facts = Pick<Searcher, 'banks' | 'factsOf'>

/** What of two views is known of a hash that is asked about. */
type Asked = Pick<ComparedViews, 'asked' | 'rotated'>

/** What vetoes hits. */
export interface Veto {
  /** Hits as far as this or farther are not found. */
  readonly fromBits: number
}

/**
 * What is to be found is nearer than any harmless picture. Hit by hit and not picture by picture: somebody who puts a well-known picture
 * beside an intimate one, or frames it with one, hides only the well-known one.
 * @returns `undefined` where nothing is vetoed.
 */
export function vetoOf(catalogue: Facts, type: SignalType, asked: Asked, hits: readonly Hit[]): Veto | undefined {
  const harmless = harmlessOf(catalogue, type, asked, hits)
  const nearest = harmless[0]
  if (nearest === undefined) return undefined
  const shared = asked.asked === 'whole' ? undefined : secondPart(harmless)
  return { fromBits: Math.min(nearest.distanceBits, (shared?.distanceBits ?? Number.POSITIVE_INFINITY) - ELEMENT_BITS) }
}

export function isVetoed(veto: Veto | undefined, { distanceBits }: Pick<Hit, 'distanceBits'>): boolean {
  return veto !== undefined && distanceBits >= veto.fromBits
}

/**
 * Does a hit nearly lie on the other side of a veto? Then whether it is found tells which of two pictures is nearer, and by that how their hashes differ. Of
 * an exact one everything is known.
 */
export function isAtVetoEdge(veto: Veto | undefined, { distanceBits }: Pick<Hit, 'distanceBits'>): boolean {
  return veto !== undefined && distanceBits > 0 && isNearEdge(distanceBits, veto.fromBits - 1)
}

interface AskedOf {
  readonly searcher: Pick<Searcher, 'image'>
  readonly type: SignalType
  readonly hash: Hash256 | undefined
  readonly radiusOf: (imageId: string) => number | undefined
  readonly observed: Pick<Observed, 'screened'>
}

/** May a hit be told, which would be told without a veto? What tells of the veto is observed. */
export function isUnvetoed(
  veto: Veto | undefined,
  hit: Hit,
  { searcher, type, hash, radiusOf, observed }: AskedOf,
): boolean {
  if (veto === undefined) return true
  const image = searcher.image(hit.image)
  // Where the radius was replaced, any harmless picture vetoes: which of them is nearer would be an edge as well.
  if (image === undefined || (hit.distanceBits > 0 && radiusOf(image.id) !== undefined)) return false
  const [isAtEdge, isOver] = [isAtVetoEdge(veto, hit), isVetoed(veto, hit)]
  if (isAtEdge || isOver) observed.screened(hit.image, image.id, type, hash, isAtEdge ? 'alone' : 'none')
  return !isOver
}

/**
 * A part of an upload that parts of two harmless pictures are near to is an element that many pictures have, such as a keyboard. Drawn a little
 * otherwise in each, it is nearer to what was registered with it as often as not, so that has to be nearer by so much. A picture that is harmless as a
 * whole makes no element, however often it was listed: what was made of it may look much like it.
 */
const ELEMENT_BITS = 16

/** The nearest part of the second image that has one. */
function secondPart(nearestFirst: readonly Hit[]): Hit | undefined {
  const parts = nearestFirst.filter(({ view }) => viewOf(view) !== 'whole')
  return parts.find(({ image }) => image !== parts[0]?.image)
}

/** The nearest first. */
function harmlessOf(catalogue: Facts, type: SignalType, asked: Asked, hits: readonly Hit[]): readonly Hit[] {
  const isHarmlessHit = ({ image, view, distanceBits }: Hit) => {
    const name = catalogue.factsOf(image)?.bank ?? ''
    const bank = name === JUDGED_HARMLESS_BANK.name ? JUDGED_HARMLESS_BANK : catalogue.banks.get(name)
    return bank?.purpose === 'harmless' && distanceBits <= thresholdOf(bank, type, { ...asked, registered: viewOf(view) })
  }
  return hits.filter(isHarmlessHit).sort((a, b) => a.distanceBits - b.distanceBits)
}

export function harmlessBanks(catalogue: Pick<Facts, 'banks'>): ReadonlyMap<string, Bank> {
  const banks = [...catalogue.banks].filter(([, { purpose }]) => purpose === 'harmless')
  return new Map([...banks, [JUDGED_HARMLESS_BANK.name, JUDGED_HARMLESS_BANK]])
}

/**
 * Is a picture that is to be registered one that is known to be harmless? Only whole pictures are compared.
 *
 * Looked for as far as a harmless bank goes, and no farther: as far as anybody may ask, all rows are read, which is 2 ms of the event loop
 * for each hash where there are a million.
 */
export function isHarmless(catalogue: Catalogue, signals: readonly Signal[]): boolean {
  return harmlessLike(catalogue, signals) !== undefined
}

/** The id of a harmless image that a picture is too near to. */
export function harmlessLike(catalogue: Catalogue, signals: readonly Signal[]): string | undefined {
  const banks = [...harmlessBanks(catalogue).values()]
  for (const { type, view, hash } of signals) {
    if (view !== 'whole') continue
    const asked = { asked: view, rotated: false }
    const farthestBits = Math.max(...banks.map((bank) => widestThresholdOf(bank, type, view, asked.rotated)))
    const [nearest] = harmlessOf(catalogue, type, asked, catalogue.index(type).within([hash], farthestBits))
    if (nearest !== undefined) return catalogue.image(nearest.image)?.id
  }
  return undefined
}

/**
 * Which of some pictures that are to be registered are harmless, in their order, each by what is known when it is its turn: others have
 * theirs in between.
 *
 * @param catalogue asked anew for each that has signals.
 * @param yieldIfNeeded called before each; gives a promise to wait for when others have waited long enough.
 */
export async function harmlessAmong(
  catalogue: () => Catalogue,
  pictures: readonly (readonly Signal[])[],
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<boolean[]> {
  const harmless: boolean[] = []
  for (const signals of pictures) {
    const turn = yieldIfNeeded()
    if (turn !== undefined) await turn
    harmless.push(signals.length > 0 && isHarmless(catalogue(), signals))
  }
  return harmless
}

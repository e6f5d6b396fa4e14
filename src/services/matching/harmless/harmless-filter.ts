// The allowlist: decides which hits known harmless pictures veto, and which submitted pictures are refused as harmless.

import {
  type Bank,
  JUDGED_HARMLESS_BANK,
  thresholdOf,
  widestThresholdOf,
} from '../../../../packages/core/src/matching/bank.js'
import type { ComparedViews } from '../../../../packages/core/src/matching/evidence.js'
import type { Signal } from '../../../../packages/core/src/matching/signal.js'
import { viewOf } from '../../../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import type { Listed } from '../../../domain/trust/recognition.js'
import type { Catalogue } from '../../index/catalogue.js'
import type { Searcher } from '../../index/searcher.js'
import { runCooperatively } from '../batch-search.js'
import type { HarmlessStep } from '../match-steps.js'
import type { Veto } from '../veto.js'
import { judgedEntries } from './judged-entries.js'

/** Look-ups of hits, on the searcher that found the hits or in the same tick. */
type Facts = Pick<Searcher, 'banks' | 'factsOf' | 'imageOrdinal'>

export const harmlessStep: HarmlessStep = { vetoOf, banksIn: vetoingBanks }

/** The query's side of two compared views. */
type Asked = Pick<ComparedViews, 'asked' | 'rotated'>

/**
 * A match has to be nearer than every harmless picture. Hits are vetoed one by one, not the whole query. So putting a well-known
 * picture beside or around an intimate one hides only the well-known one.
 * @returns `undefined` if no harmless picture is near.
 */
function vetoOf(catalogue: Facts, type: SignalType, asked: Asked, hits: readonly Hit[]): Veto | undefined {
  const harmless = harmlessOf(catalogue, type, asked, hits, false)
  const nearest = harmless[0]
  if (nearest === undefined) return undefined
  const shared = asked.asked === 'whole' ? undefined : secondPart(catalogue, harmless)
  return { fromBits: Math.min(nearest.distanceBits, (shared?.distanceBits ?? Number.POSITIVE_INFINITY) - ELEMENT_BITS) }
}

/**
 * A part that two harmless pictures share is an element of many pictures, such as a keyboard. It looks slightly different in
 * each, so it may be nearer to a registered picture than to a harmless one. So a match has to be nearer by this many bits.
 * Harmless wholes do not count as elements, however often they are listed, because a registered picture may be derived from one.
 */
const ELEMENT_BITS = 16

/** The nearest part of a second image; `undefined` if parts of at most one image are near. */
function secondPart(catalogue: Pick<Facts, 'imageOrdinal'>, nearestFirst: readonly Hit[]): Hit | undefined {
  const parts = nearestFirst.filter(({ view }) => viewOf(view) !== 'whole')
  const first = parts[0] && catalogue.imageOrdinal(parts[0].image)
  return parts.find(({ image }) => catalogue.imageOrdinal(image) !== first)
}

/** The hits that are harmless pictures, nearest first. @param hasJudged whether pictures that were judged harmless are among them. */
function harmlessOf(
  catalogue: Pick<Facts, 'banks' | 'factsOf'>,
  type: SignalType,
  asked: Asked,
  hits: readonly Hit[],
  hasJudged: boolean,
): readonly Hit[] {
  const isHarmlessHit = ({ image, view, distanceBits }: Hit) => {
    const name = catalogue.factsOf(image)?.bank ?? ''
    const bank = hasJudged && name === JUDGED_HARMLESS_BANK.name ? JUDGED_HARMLESS_BANK : catalogue.banks.get(name)
    return bank?.purpose === 'harmless' && distanceBits <= thresholdOf(bank, type, { ...asked, registered: viewOf(view) })
  }
  return hits.filter(isHarmlessHit).sort((a, b) => a.distanceBits - b.distanceBits)
}

/** Those that operators listed, or also those that were judged harmless in a case. Only the first veto matches; both are refused in new cases. */
type Which = 'listed' | 'judged-too'

/**
 * The banks that veto matches: those that operators fill. A picture that was judged harmless is not among them. The judgement is about one entry, and
 * somebody else may have registered the same picture with a reason.
 */
function vetoingBanks({ banks }: Pick<Facts, 'banks'>): ReadonlyMap<string, Bank> {
  return new Map([...banks].filter(([, { purpose }]) => purpose === 'harmless'))
}

/**
 * The id of a harmless image that a picture is too near to; `undefined` if there is none. An animation or video is harmless only if the file itself
 * is or all of its frames are: one harmless frame must not keep the others out. Cost: a search, and one for each frame up to the first that is not
 * harmless. Only whole pictures are compared.
 *
 * Searches only as far as the thresholds of the harmless banks. With the widest allowed radius it would read all rows, which
 * takes 2 ms of the event loop per hash at a million rows.
 */
export function harmlessLike(
  catalogue: Catalogue,
  signals: readonly Signal[],
  which: Which = 'judged-too',
): string | undefined {
  const look = harmlessLikeNow(() => catalogue, signals, which)
  let step = look.next()
  while (step.done !== true) step = look.next()
  return step.value
}

/** As `harmlessLike`, but pauses between searches, because a video may have thousands of frames. */
function* harmlessLikeNow(
  catalogue: () => Catalogue,
  signals: readonly Signal[],
  which: Which = 'judged-too',
): Generator<void, string | undefined, void> {
  const wholes = signals.filter(({ view }) => view === 'whole')
  const isAboutIt = which === 'judged-too' ? judgedEntries(signals) : undefined
  const frames = wholes.filter(({ type }) => type === 'pdq')
  const isStill = frames.length < 2
  for (const [i, whole] of (isStill
    ? wholes
    : wholes.filter(({ type }) => type === 'sha256' || type === 'video_md5')
  ).entries()) {
    if (i > 0) yield
    const near = harmlessNear(catalogue(), whole, isAboutIt)
    if (near !== undefined) return near.id
  }
  let first: string | undefined
  for (const [i, frame] of (isStill ? [] : frames).entries()) {
    if (i > 0) yield
    const near = harmlessNear(catalogue(), frame, isAboutIt)
    if (near === undefined) return undefined
    first ??= near.id
  }
  return first
}

/**
 * For each registered picture or video, whether operators listed it as harmless: all of its whole pictures. What was judged harmless in a case
 * vetoes nothing, so it does not count. Cost and yielding as of `harmlessAmong`.
 */
export async function listedAmong(
  catalogue: () => Catalogue,
  pictures: readonly (readonly Signal[])[],
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<Listed[]> {
  const listed: Listed[] = []
  for (const signals of pictures) listed.push(await listedOf(catalogue, signals, yieldIfNeeded))
  return listed
}

async function listedOf(
  catalogue: () => Catalogue,
  signals: readonly Signal[],
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<Listed> {
  let farthestBits = -1
  for (const whole of signals.filter(({ type, view }) => type === 'pdq' && view === 'whole')) {
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
    const near = harmlessNear(catalogue(), whole, undefined)
    if (near === undefined) return 'no'
    farthestBits = Math.max(farthestBits, near.distanceBits)
  }
  if (farthestBits === -1) return 'no'
  return farthestBits === 0 ? 'same' : 'similar'
}

/** @param isAboutIt as `judgedEntries` makes it; `undefined` if what was judged does not count. */
function harmlessNear(
  catalogue: Catalogue,
  { type, view, hash }: Signal,
  isAboutIt: ReturnType<typeof judgedEntries> | undefined,
) {
  const asked = { asked: view, rotated: false }
  const hasJudged = isAboutIt !== undefined
  const banks = [...vetoingBanks(catalogue).values(), ...(hasJudged ? [JUDGED_HARMLESS_BANK] : [])]
  if (banks.length === 0) return undefined
  const farthestBits = Math.max(...banks.map((bank) => widestThresholdOf(bank, type, view, asked.rotated)))
  const hits = catalogue.index(type).within([hash], farthestBits)
  const harmless = harmlessOf(catalogue, type, asked, hits, hasJudged)
  const isJudged = ({ image }: Hit) => catalogue.factsOf(image)?.bank === JUDGED_HARMLESS_BANK.name
  const nearest = harmless.find((hit) => !isJudged(hit) || isAboutIt?.(catalogue, hit) === true)
  const id = nearest && catalogue.image(nearest.image)?.id
  return id === undefined ? undefined : { id, distanceBits: nearest?.distanceBits ?? 0 }
}

/**
 * For each submitted picture or video, in order, whether it is harmless. Yields between pictures and between frames. Each search
 * uses the catalogue of its moment.
 *
 * @param catalogue called for each search.
 * @param yieldIfNeeded called before each picture and each further search; its promise is awaited.
 */
export async function harmlessAmong(
  catalogue: () => Catalogue,
  pictures: readonly (readonly Signal[])[],
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<boolean[]> {
  const harmless: boolean[] = []
  for (const signals of pictures) {
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
    harmless.push((await runCooperatively(harmlessLikeNow(catalogue, signals), yieldIfNeeded)) !== undefined)
  }
  return harmless
}

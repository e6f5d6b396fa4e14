// Searches for the frames of a query video, and finds out which of them are near which registered pictures and frames.

import { type Bank, lineThresholdOf, ownerReviewBits, thresholdOf } from '../../../../packages/core/src/matching/bank.js'
import { EDGE_BITS } from '../../../../packages/core/src/matching/edges.js'
import {
  type ComparedViews,
  contentOf,
  dependsOnContent,
  isPartial,
  lineBits,
  reviewBits,
  widestLineBits,
} from '../../../../packages/core/src/matching/evidence.js'
import { formBits } from '../../../../packages/core/src/matching/forms.js'
import { nearAloneBits } from '../../../../packages/core/src/matching/grade.js'
import type { HashedSignal } from '../../../../packages/core/src/matching/hashed-image.js'
import { strictnessFor } from '../../../../packages/core/src/matching/registry-size.js'
import { fairShareOf, type Origin } from '../../../../packages/core/src/matching/share.js'
import { viewOf } from '../../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES, type SignalType } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import type { Hash256 } from '../../../../packages/hash/src/hash256.js'
import type { CatalogueImage } from '../../index/image-facts.js'
import type { FoundAhead, WidestOf } from '../batch-search.js'
import { shareOfHits } from '../fair-share.js'
import { type Blur, blurredHits } from '../hit-distance.js'
import type { AskingByHashes } from '../match-by-hashes.js'
import type { Observed } from '../observing.js'
import { orientationGroupsOf } from '../orientations.js'
import { isUnvetoed } from '../veto.js'

/** A frame of a query video. */
export interface AskedFrame {
  /** [ms] since the start of the video. */
  readonly atMs: number
  readonly signals: readonly HashedSignal[]
  /** As in `HashedImage`. */
  readonly isForm?: true
}

/** A query frame that is near a registered picture, or a frame of a registered video. */
export interface NearFrame {
  readonly frame: AskedFrame
  readonly hit: Hit
  readonly type: SignalType
  readonly views: ComparedViews
  /** Index into `transforms`. */
  readonly orientation: number
  /** The hash that was searched for. */
  readonly hash: Hash256
  /** By how many bits this pair of views is nearer than it has to be to decide alone; negative if it is too far. */
  readonly surplusBits: number
  /** Whether it may be a match of pictures, alone or together with other views. */
  readonly isWithin: boolean
  /** As in `FramePair`. */
  readonly tighterBits: number
}

/** A registered picture or video, and the query frames that are near it. */
export interface Target {
  /** Of the picture or video. */
  readonly ordinal: number
  readonly image: CatalogueImage
  readonly bank: Bank
  readonly near: NearFrame[]
}

/**
 * Maximum near frames kept for a query. It is divided among the query's frames, but each gets at least `perFrame`: the nearest, shared fairly by
 * owners.
 */
const MAX_NEAR = { inAll: 65_536, perFrame: 8 } as const
/** Maximum near frames of one registered video for one query frame. */
const MAX_NEAR_PER_TARGET = 8

/** The search radius for frames of videos. It is wider than for pictures, because the pairs of a line may be farther apart. */
export function widestOfFrames(widestOf: WidestOf, thresholdBits: number | undefined, withMargin: boolean): WidestOf {
  return (type, view, rotated) => {
    const radius = widestOf(type, view, rotated)
    const ofLine = Math.min(thresholdBits ?? Number.POSITIVE_INFINITY, widestLineBits(type, view, rotated) ?? 0)
    return ofLine <= radius.bits ? radius : { bits: ofLine, marginBits: withMargin ? EDGE_BITS : 0 }
  }
}

export interface Searched {
  readonly asking: AskingByHashes
  readonly ahead: FoundAhead
  /** A new record, for a frame that is compared in full. */
  readonly observe: () => Observed
  /** Records the hits that a veto hides. */
  readonly observed: Observed
  /** As in `matchesByHashes`. */
  readonly blur: Blur | undefined
  /** Whether to keep pairs that are slightly too far, too. */
  readonly withMargin: boolean
}

/** @returns targets by ordinal. Pauses whenever it may yield. Cost: a search for each signal that was not searched ahead. */
export function* nearFramesOf(
  frames: readonly AskedFrame[],
  searched: Searched,
): Generator<void, ReadonlyMap<number, Target>, void> {
  const { searcher, banks } = searched.asking
  const targets = new Map<number, Target>()
  const maxPerFrame = Math.max(MAX_NEAR.perFrame, Math.floor(MAX_NEAR.inAll / Math.max(1, frames.length)))
  for (const frame of frames) {
    yield
    const near = (yield* nearOf(frame, searched)).sort((a, b) => b.surplusBits - a.surplusBits || a.hit.image - b.hit.image)
    const perTarget = new Map<number, number>()
    const few = near.filter(({ hit }) => {
      const ordinal = searcher.imageOrdinal(hit.image)
      const count = (perTarget.get(ordinal) ?? 0) + 1
      perTarget.set(ordinal, count)
      return count <= MAX_NEAR_PER_TARGET
    })
    const originOf = ({ hit }: NearFrame): Origin => {
      const bank = searcher.factsOf(hit.image)?.bank ?? ''
      return { owner: banks.get(bank)?.orgId ?? '', part: searcher.originOf(hit.image) }
    }
    for (const one of fairShareOf(few, maxPerFrame, originOf)) {
      const ordinal = searcher.imageOrdinal(one.hit.image)
      const image = searcher.image(ordinal)
      const bank = banks.get(image?.bank ?? '')
      if (image === undefined || bank === undefined) continue
      const target = targets.get(ordinal) ?? { ordinal, image, bank, near: [] }
      targets.set(ordinal, target)
      target.near.push(one)
    }
  }
  return targets
}

function* nearOf(frame: AskedFrame, searched: Searched): Generator<void, NearFrame[], void> {
  const { asking, ahead, observed, blur } = searched
  const { searcher, banks, widestOf, options } = asking
  const nearest = new Map<string, NearFrame>()
  for (const signal of frame.signals) {
    const { type, view } = signal
    // A second algorithm only corroborates matches of pictures.
    if (!SIGNAL_TYPES[type].decidesAlone) continue
    for (const [group, { orientations, rotated, hashes }] of orientationGroupsOf(signal).entries()) {
      const { bits, marginBits } = widestOf(type, view, rotated)
      yield
      const all = ahead.get(signal)?.[group] ?? (yield* searcher.search(type, hashes, bits, marginBits))
      if (all.length === 0) continue
      const hits = blurredHits(searcher, all, blur)
      const content = dependsOnContent(type) ? contentOf(signal) : 'full'
      const veto = asking.harmless.vetoOf(searcher, type, { asked: view, rotated }, hits)
      const measured = (hit: Hit) => {
        if (options.imageId !== undefined && searcher.image(hit.image)?.id !== options.imageId) return undefined
        const { bank: name = '', isByHashes, isRecent } = searcher.factsOf(hit.image) ?? {}
        const bank = banks.get(name)
        if (bank === undefined) return undefined
        const views = { asked: view, registered: viewOf(hit.view), rotated, content, isByHashes }
        const found = measure(hit, type, views, { isForm: frame.isForm === true, bank, isRecent }, searched)
        if (found === undefined) return undefined
        const asked = { searcher, type, hash: hashes[hit.transform], observed }
        return isUnvetoed(veto, hit, asked) ? found : undefined
      }
      const share = yield* shareOfHits(searcher, hits, (hit) => measured(hit) !== undefined)
      for (const hit of share.hits) {
        const found = measured(hit)
        const hash = hashes[hit.transform]
        if (found === undefined || hash === undefined || isHidden(hit, type, hash, asking)) continue
        const one = { ...found, frame, hit, type, hash, orientation: orientations[hit.transform] ?? 0 }
        const key = `${hit.image} ${one.orientation} ${isPartial(one.views)} ${content}`
        const known = nearest.get(key)
        if (known === undefined || one.surplusBits > known.surplusBits) nearest.set(key, one)
      }
    }
  }
  return [...nearest.values()]
}

type Measured = Pick<NearFrame, 'views' | 'surplusBits' | 'isWithin' | 'tighterBits'>

/** @returns `undefined` if it is too far to count for anything. */
function measure(
  { distanceBits }: Hit,
  type: SignalType,
  views: ComparedViews,
  { isForm, bank, isRecent }: { readonly isForm: boolean; readonly bank: Bank; readonly isRecent: true | undefined },
  { asking: { options, strictness }, withMargin }: Searched,
): Measured | undefined {
  const { orgId, thresholdBits } = options
  const askedBits = Math.min(thresholdBits ?? ownerReviewBits(bank, type, orgId), reviewBits(type, views))
  const matchBits = thresholdBits === undefined ? Math.max(thresholdOf(bank, type, views), askedBits) : askedBits
  const isOfLine = !isForm && widestLineBits(type, views.asked, views.rotated) !== undefined && views.content === 'full'
  const ofBank = Math.min(lineThresholdOf(bank, isPartial(views)), thresholdBits ?? Number.POSITIVE_INFINITY)
  const farthest = Math.max(matchBits, isOfLine ? ofBank : 0)
  if (distanceBits > farthest + (withMargin && farthest > 0 ? EDGE_BITS : 0)) return undefined
  // A form beyond `formBits` may still match as a picture, if all of its parts agree.
  const strictBits = nearAloneBits(bank, type, views, strictnessFor(strictness, { isRecent }))
  const aloneBits = Math.min(strictBits, isForm ? formBits(views) : Number.POSITIVE_INFINITY)
  const surplusBits = Math.min(aloneBits, thresholdBits ?? Number.POSITIVE_INFINITY) - distanceBits
  return { views, surplusBits, isWithin: distanceBits <= matchBits, tighterBits: lineBits(isPartial(views)) - ofBank }
}

/** Whether a hit is of a stopped view. Further work on it would reveal the unreported match by the time it takes. */
function isHidden(hit: Hit, type: SignalType, hash: Hash256, { searcher, activeViews }: AskingByHashes): boolean {
  const image = searcher.image(hit.image)
  return image === undefined || activeViews.isStopped(image.id, hit, type, hash)
}

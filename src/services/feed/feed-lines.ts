// Lines of the feed for one reader. Each describes an image as it is when it is read.

import { setImmediate as nextTick } from 'node:timers/promises'
import { CASES_BANK_NAME, isAnswering, isVisibleTo } from '../../../packages/core/src/matching/bank.js'
import { feedSignalsOf } from '../../../packages/core/src/matching/feed-signals.js'
import type { RegisteredImage, Signal } from '../../../packages/core/src/matching/signal.js'
import type { FeedLine } from '../../domain/organisations/feed.js'
import { tierWith } from '../../domain/trust/tier.js'
import { NO_TRUST_STATUS, type TrustStatus } from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Catalogue } from '../index/catalogue.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { ViewIdOf } from '../matching/stopped-views.js'
import type { FeedReader } from './feed-cursor.js'

export type ImageLine = Extract<FeedLine, { op: 'upsert' | 'tombstone' }>

/**
 * Which lines to send. Additions of case images wait for their batch.
 * - `at-once`: all lines of bank images; of case images only removals
 * - `batched`: only lines of case images, without removals
 * - `all`: all lines
 */
export type Telling = 'at-once' | 'batched' | 'all'

export interface FeedLines {
  /** Sorted by the reader's own ids, which look random. @throws {Problem} store-unavailable */
  images(reader: FeedReader, catalogue: Catalogue, ids: readonly string[], telling: Telling): AsyncGenerator<ImageLine>
  /** After settings of a bank changed, for example its readers: a line for each of its images. @throws {Problem} store-unavailable */
  bank(reader: FeedReader, catalogue: Catalogue, name: string): AsyncGenerator<ImageLine>
  /** Adds the reader's own id to each image id, and sorts by it. */
  inOwnOrder(reader: FeedReader, ids: readonly string[]): { readonly imageId: string; readonly id: string }[]
}

export interface FeedLineParts {
  readonly images: Pick<Images, 'readable'>
  readonly trusts: Pick<Trusts, 'trustStatuses'>
  readonly matchIds: MatchIds
  readonly viewIdOf: ViewIdOf
  /** Called when a page leaves damaged records out. Followers keep what they have of them. */
  readonly onError: (error: Error) => void
}

/** Number of images unsealed before other work of the process runs. They take about 2 ms. */
export const IMAGES_AT_ONCE = 200

export function createFeedLines({ images, trusts, matchIds, viewIdOf, onError }: FeedLineParts): FeedLines {
  const inOwnOrder: FeedLines['inOwnOrder'] = ({ orgId }, imageIds) =>
    imageIds.map((imageId) => ({ imageId, id: matchIds.idFor(orgId, imageId) })).sort((a, b) => (a.id < b.id ? -1 : 1))

  async function* tellImages(reader: FeedReader, catalogue: Catalogue, ids: readonly string[], telling: Telling) {
    const named = inOwnOrder(reader, ids)
    for (const batch of batchesOf(catalogue, named)) {
      const imageIds = batch.map(({ imageId }) => imageId)
      const [found, trustStatuses] = await Promise.all([images.readable(imageIds), trusts.trustStatuses(imageIds)])
      if (found.includes('damaged')) onError(new Error('A page of the feed leaves out images whose records are damaged.'))
      for (const [i, { imageId, id }] of batch.entries()) {
        const stored = found[i]
        if (stored === 'damaged') continue
        const trustStatus = trustStatuses[i] ?? NO_TRUST_STATUS
        const sent = stored && (reader.allViews ? stored : { ...stored, signals: feedSignalsOf(stored.signals) })
        // Chosen before: a stopped view must not be replaced by another one, or a follower would collect them.
        const image = sent && withoutStopped(sent, trustStatus, (signal) => viewIdOf(imageId, signal))
        const { line, isRemoval } = lineOf(reader, catalogue, id, image, trustStatus)
        const isBatched = stored?.bank === CASES_BANK_NAME && !isRemoval
        if (line !== undefined && (telling === 'all' || isBatched === (telling === 'batched'))) yield line
      }
    }
  }

  return {
    images: tellImages,
    inOwnOrder,
    async *bank(reader, catalogue, name) {
      const bank = catalogue.banks.get(name)
      if (reader.filter.banks?.includes(name) === false || bank?.purpose !== 'match') return
      const step = partsHolding(catalogue, IMAGES_AT_ONCE)
      for (let part = 0; part < ID_PARTS; part += step) {
        const ids = catalogue
          .imagesInParts(part, Math.min(part + step, ID_PARTS))
          .flatMap((image) => (image.bank === name ? [image.id] : []))
        if (isVisibleTo(bank, reader.orgId)) yield* tellImages(reader, catalogue, ids, 'at-once')
        else for (const { id } of inOwnOrder(reader, ids)) yield { op: 'tombstone', id }
        await nextTick()
      }
    },
  }
}

/** A batch of images ends once its videos have this many frames: a frame may have dozens of hashes. */
const FRAMES_AT_ONCE = 2_000

function* batchesOf<T extends { readonly imageId: string }>(catalogue: Catalogue, named: readonly T[]): Generator<T[]> {
  let batch: T[] = []
  let frames = 0
  for (const one of named) {
    batch.push(one)
    frames += catalogue.framesOf(one.imageId)
    if (batch.length < IMAGES_AT_ONCE && frames < FRAMES_AT_ONCE) continue
    yield batch
    batch = []
    frames = 0
  }
  if (batch.length > 0) yield batch
}

/** How many parts of the ids have about `count` images; at least 1. */
export function partsHolding({ images }: Catalogue, count: number): number {
  return Math.min(ID_PARTS, Math.ceil((count * ID_PARTS) / Math.max(1, images)))
}

/** Omits views that are stopped: a follower must not match by them either. */
function withoutStopped(
  image: RegisteredImage,
  { stoppedViews }: TrustStatus,
  idOf: (signal: Signal) => number,
): RegisteredImage {
  if (stoppedViews.length === 0) return image
  const isStopped = (signal: Signal) => signal.type === 'pdq-area' && stoppedViews.includes(idOf(signal))
  return { ...image, signals: image.signals.filter((signal) => !isStopped(signal)) }
}

/** `line` is undefined for banks that the reader's filter leaves out or that it may not see, and for the allowlist. */
function lineOf(
  { orgId, filter }: FeedReader,
  catalogue: Catalogue,
  id: string,
  image: RegisteredImage | undefined,
  { support, disputed, matches, narrowed }: TrustStatus,
): { readonly line: ImageLine | undefined; readonly isRemoval: boolean } {
  const removal = { line: { op: 'tombstone', id }, isRemoval: true } as const
  if (image === undefined) return removal
  const { bank, category, signals, video } = image
  const policy = catalogue.banks.get(bank)
  if (filter.banks?.includes(bank) === false || policy?.purpose !== 'match' || !isVisibleTo(policy, orgId))
    return { line: undefined, isRemoval: false }
  if (!isAnswering(policy) || !matches) return removal
  const tier = tierWith(image.tier, support)
  const isWanted =
    (filter.tiers?.includes(tier) ?? true) &&
    (filter.categories === undefined || (category !== undefined && filter.categories.includes(category)))
  if (!isWanted) return { line: { op: 'tombstone', id }, isRemoval: false }
  const shown = { id, bank: catalogue.banks.shownTo(orgId, policy), tier, category, disputed, narrowed, signals }
  return { line: { op: 'upsert', ...shown, ...(video !== undefined && { video }) }, isRemoval: false }
}

// What one follower is told of images, banks and parts of a snapshot: what holds when it is read.

import { setImmediate as nextTick } from 'node:timers/promises'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { CASES_BANK_NAME, isAnswering, isVisibleTo } from '../../domain/organisations/bank.js'
import type { FeedLine } from '../../domain/organisations/feed.js'
import { tierWith } from '../../domain/trust/tier.js'
import { NO_TRUST_STATUS, type TrustStatus } from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Catalogue } from '../index/catalogue.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { FeedReader } from './feed-cursor.js'

export type ImageLine = Extract<FeedLine, { op: 'upsert' | 'tombstone' }>

/**
 * Images of cases are told with the others of their batch. at-once: what holds for each, and of images of cases only that they match nothing
 * any more. batched: what holds for images of cases that match; of others this was told at once. all: what holds for each.
 */
export type Telling = 'at-once' | 'batched' | 'all'

export interface FeedLines {
  /** In the order of ids that only the reader has, which are as good as random. */
  images(reader: FeedReader, catalogue: Catalogue, ids: readonly string[], telling: Telling): AsyncGenerator<ImageLine>
  /** Of a bank that changed, its readers for example: what holds now for each of its images. */
  bank(reader: FeedReader, catalogue: Catalogue, name: string): AsyncGenerator<ImageLine>
  inOwnOrder(reader: FeedReader, ids: readonly string[]): { readonly imageId: string; readonly id: string }[]
}

export interface FeedLineParts {
  readonly images: Pick<Images, 'get'>
  readonly trusts: Pick<Trusts, 'trustStatuses'>
  readonly matchIds: MatchIds
}

/** Unsealing so many takes about 2 ms, and then others of this process get their turn. */
export const IMAGES_AT_ONCE = 200

export function createFeedLines({ images, trusts, matchIds }: FeedLineParts): FeedLines {
  const inOwnOrder: FeedLines['inOwnOrder'] = ({ orgId }, imageIds) =>
    imageIds.map((imageId) => ({ imageId, id: matchIds.idFor(orgId, imageId) })).sort((a, b) => (a.id < b.id ? -1 : 1))

  async function* tellImages(reader: FeedReader, catalogue: Catalogue, ids: readonly string[], telling: Telling) {
    const named = inOwnOrder(reader, ids)
    for (let at = 0; at < named.length; at += IMAGES_AT_ONCE) {
      const batch = named.slice(at, at + IMAGES_AT_ONCE)
      const imageIds = batch.map(({ imageId }) => imageId)
      const [found, trustStatuses] = await Promise.all([images.get(imageIds), trusts.trustStatuses(imageIds)])
      for (const [i, { id }] of batch.entries()) {
        const { line, isRemoval } = lineOf(reader, catalogue, id, found[i], trustStatuses[i])
        const isBatched = found[i]?.bank === CASES_BANK_NAME && !isRemoval
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
      const step = createImageParts(catalogue, IMAGES_AT_ONCE)
      for (let part = 0; part < ID_PARTS; part += step) {
        const ids = catalogue
          .createImageStore(part, Math.min(part + step, ID_PARTS))
          .flatMap((image) => (image.bank === name ? [image.id] : []))
        if (isVisibleTo(bank, reader.orgId)) yield* tellImages(reader, catalogue, ids, 'at-once')
        else for (const { id } of inOwnOrder(reader, ids)) yield { op: 'tombstone', id }
        await nextTick()
      }
    },
  }
}

/** How many parts have about so many images. */
export function createImageParts({ images }: Catalogue, count: number): number {
  return Math.min(ID_PARTS, Math.ceil((count * ID_PARTS) / Math.max(1, images)))
}

/** `line` is undefined for what is no business of this reader's: banks that it did not ask for or may not know of, and what is harmless. */
function lineOf(
  { orgId, filter }: FeedReader,
  catalogue: Catalogue,
  id: string,
  image: RegisteredImage | undefined,
  trustStatus: TrustStatus | undefined,
): { readonly line: ImageLine | undefined; readonly isRemoval: boolean } {
  const removal = { line: { op: 'tombstone', id }, isRemoval: true } as const
  if (image === undefined) return removal
  const { bank, category, signals } = image
  const policy = catalogue.banks.get(bank)
  if (filter.banks?.includes(bank) === false || policy?.purpose !== 'match' || !isVisibleTo(policy, orgId))
    return { line: undefined, isRemoval: false }
  const { support, disputed, matches } = trustStatus ?? NO_TRUST_STATUS
  if (!isAnswering(policy) || !matches) return removal
  const tier = tierWith(image.tier, support)
  const isWanted =
    (filter.tiers?.includes(tier) ?? true) &&
    (filter.categories === undefined || (category !== undefined && filter.categories.includes(category)))
  const line = isWanted
    ? ({ op: 'upsert', id, bank: catalogue.banks.shownTo(orgId, policy), tier, category, disputed, signals } as const)
    : ({ op: 'tombstone', id } as const)
  return { line, isRemoval: false }
}

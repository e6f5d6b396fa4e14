// Withdrawals for clients whose records are named by hash. A client gets only withdrawals of hashes that its key fetched.
//
// A client has one record per hash, even if several images have the hash. So a hash is withdrawn only when no image with this hash is left that the
// organisation may see. Each image that keeps the hash alive is noted as fetched, and withdraws the hash with it.

import { setImmediate as nextTick } from 'node:timers/promises'
import { isAnswering, isVisibleTo } from '../../../packages/core/src/matching/bank.js'
import { formatSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import type { FeedSignal, PlainHash } from '../../domain/organisations/feed.js'
import type { Fetched } from '../../store/exchange/fetched.js'
import { lastPosition } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import { MAX_HASHES_OF_IMAGE } from '../../store/scripts/images/fetched.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Replica } from '../index/replica.js'
import type { MatchIds } from '../matching/match-ids.js'

/** A page of the feed, with the reader's own ids. */
export interface FeedPage {
  readonly signals: readonly FeedSignal[]
  /** Ids that the page has tombstones for. The images may still be registered. */
  readonly tombstones: readonly string[]
}

export interface FetchedPage {
  /** The page's signals. Omits images that were erased since the page was read. */
  readonly signals: readonly FeedSignal[]
  readonly withdrawn: readonly PlainHash[]
  /** The position up to which withdrawals are reported. */
  readonly place: number
  readonly more: boolean
}

export interface FetchedHashes {
  /** @param after the position up to which the client has received withdrawals. @throws {Problem} index-loading, store-unavailable */
  pageFor(
    reader: { readonly orgId: string; readonly keyId: string },
    read: FeedPage,
    ask: { readonly after: number; readonly limit: number },
  ): Promise<FetchedPage>
}

export interface FetchedHashesParts {
  readonly fetched: Fetched
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly replica: Pick<Replica, 'applied' | 'catalogue'>
  readonly store: Store
}

/** Hashes searched before yielding to the event loop; each takes some tens of microseconds. */
const SEARCHED_AT_ONCE = 50

export function createFetchedHashes({ fetched, matchIds, replica, store }: FetchedHashesParts): FetchedHashes {
  /** The hashes that no image has any more that may match for this organisation. Notes the images of the other hashes as fetched. */
  async function unregistered(keyId: string, orgId: string, hashes: readonly PlainHash[]): Promise<PlainHash[]> {
    if (hashes.length === 0) return []
    await replica.applied(await lastPosition(store))
    const held = new Map<string, PlainHash[]>()
    const found: { readonly hash: PlainHash; readonly holders: readonly string[] }[] = []
    for (const [i, hash] of hashes.entries()) {
      if (i % SEARCHED_AT_ONCE === 0) await nextTick()
      const holders = imagesWith(replica.catalogue, orgId, hash)
      for (const imageId of holders) held.set(imageId, [...(held.get(imageId) ?? []), hash])
      found.push({ hash, holders })
    }
    const noted = [...held].map(([imageId, some]) => ({ imageId, hashes: some, isComplete: false }))
    const { there } = await fetched.note(keyId, noted)
    const current = new Set(noted.flatMap(({ imageId }, i) => (there[i] ? [imageId] : [])))
    return found.flatMap(({ hash, holders }) => (holders.some((imageId) => current.has(imageId)) ? [] : [hash]))
  }

  return {
    async pageFor({ orgId, keyId }, { signals, tombstones }, { after, limit }) {
      const imageOf = (id: string) => {
        const imageId = matchIds.imageOf(orgId, id)
        if (imageId === undefined) throw new Error('the feed names images by ids of its reader')
        return imageId
      }
      await fetched.settle(keyId, after)
      // Read before `note`: an image that is erased after it was noted is withdrawn after this position.
      const withdrawals = await fetched.withdrawn(keyId, after, limit)
      const images = signals.map(({ id, signals: all }) => ({
        imageId: imageOf(id),
        hashes: fetchableIn(all),
        isComplete: true,
      }))
      const { there, before } = await fetched.note(keyId, images)
      const current = images.filter((_, i) => there[i])
      const now = new Set(current.flatMap(({ hashes }) => hashes.map(textOf)))
      const removed = await fetched.of(keyId, tombstones.map(imageOf))
      const all = [...withdrawals.flatMap(({ hash }) => hash ?? []), ...before, ...removed.flatMap(({ hashes }) => hashes)]
      const candidates = new Map(all.map((hash) => [textOf(hash), hash]))
      for (const text of now) candidates.delete(text)
      return {
        signals: signals.filter((_, i) => there[i]),
        withdrawn: await unregistered(keyId, orgId, [...candidates.values()]),
        place: withdrawals.at(-1)?.place ?? after,
        more: withdrawals.length === limit,
      }
    },
  }
}

/**
 * The distinct hashes that the interface supports: PDQ of whole pictures, MD5 of video files. Omits PDQ of frames: one film would become thousands of
 * image records.
 */
export function fetchableIn(signals: readonly Signal[]): PlainHash[] {
  const hashes = signals.flatMap(({ type, view, frame, hash }) =>
    (type === 'pdq' || type === 'video_md5') && view === 'whole' && frame === undefined ? [{ type, hash }] : [],
  )
  return [...new Map(hashes.map((hash) => [textOf(hash), hash])).values()].slice(0, MAX_HASHES_OF_IMAGE)
}

function imagesWith(catalogue: Catalogue, orgId: string, { type, hash }: PlainHash): string[] {
  const ids = catalogue
    .index(type)
    .within([hash], 0)
    .flatMap(({ image: ordinal, view }) => {
      const isFetchable = viewOf(view) === 'whole' && catalogue.frameOf(ordinal) === undefined
      const image = isFetchable ? catalogue.image(ordinal) : undefined
      const bank = image && catalogue.banks.get(image.bank)
      return image && bank && isAnswering(bank) && isVisibleTo(bank, orgId) ? [image.id] : []
    })
  return [...new Set(ids)]
}

/** A text of the hash. Unique across types, because their texts differ in length. */
function textOf({ type, hash }: PlainHash): string {
  return formatSignalHash(type, hash)
}

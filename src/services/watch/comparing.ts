// Compares registered pictures and videos with watches, and notifies the organisations whose watches match.

import { isVisibleTo } from '../../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { type RegisteredImage, type Signal, signalsByFrame } from '../../../packages/core/src/matching/signal.js'
import { inChunks } from '../../domain/in-chunks.js'
import { MAX_COMPARED_PER_ORG, MAX_SIGNALS_PER_WATCH } from '../../domain/organisations/watch.js'
import { Problem } from '../../domain/problem.js'
import type { Images } from '../../store/images/images.js'
import { exactNameOf } from '../../store/organisations/exact-name.js'
import type { Watches } from '../../store/watch/watches.js'
import type { Replica } from '../index/replica.js'
import { forEachDue, isTransient } from '../load/each-due.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { Matcher } from '../matching/matcher.js'
import { rotated } from '../matching/orientations.js'
import type { AskedVideo, VideoMatcher } from '../matching/video/video-matcher.js'
import type { NearWatch } from './near-watches.js'
import type { WatchIndex } from './watch-index.js'

export interface ComparingParts {
  readonly watches: Watches
  readonly index: WatchIndex
  readonly images: Pick<Images, 'get' | 'inPieces'>
  readonly replica: Pick<Replica, 'reached' | 'catalogue'>
  readonly matcher: Pick<Matcher, 'match'> & VideoMatcher
  readonly matchIds: Pick<MatchIds, 'idFor'>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const IMAGES_AT_ONCE = 50
/** Attempts to compare a failing picture. Each failure is reported to the operator. */
const MAX_TRIES = 10
/** Maximum failed pictures kept for another attempt. */
const MAX_ASIDE = 10_000

/** Ids of images that could not be compared, with the number of attempts. */
export type NotCompared = Map<string, number>

/**
 * Compares images with all watches near them.
 * @param notCompared receives images that fail. Images are removed from it once they succeed or have failed `MAX_TRIES` times.
 * @throws {Problem} store-unavailable and other transient errors, which end the run.
 * Memory: that of `Images.inPieces`, since each image may be a video with 10,000 hashes.
 */
export async function compareAll(parts: ComparingParts, ids: readonly string[], notCompared: NotCompared): Promise<void> {
  for (const chunk of inChunks(ids, IMAGES_AT_ONCE)) {
    for await (const some of readSome(parts.images, chunk)) {
      await forEachDue({
        what: 'pictures to compare with watches',
        take: some,
        async handle({ imageId, read }) {
          try {
            const image = await read()
            if (image !== undefined) await compareOne(parts, imageId, image)
            notCompared.delete(imageId)
          } catch (error) {
            if (!isTransient(error)) setAside(notCompared, imageId)
            throw error
          }
        },
        onError: parts.onError,
        isNotAboutTheEntry: isTransient,
      })
    }
  }
}

interface ReadImage {
  readonly imageId: string
  readonly read: () => Promise<RegisteredImage | undefined>
}

/** Reads many images in one round trip. After an image that cannot be read, reads the rest one by one. */
async function* readSome(images: ComparingParts['images'], ids: readonly string[]): AsyncGenerator<readonly ReadImage[]> {
  let from = 0
  try {
    for await (const piece of images.inPieces(ids)) {
      const own = ids.slice(from, from + piece.length)
      from += piece.length
      yield own.map((imageId, i) => ({ imageId, read: async () => piece[i] }))
    }
  } catch (error) {
    if (isTransient(error)) throw error
    for (const imageId of ids.slice(from)) yield [{ imageId, read: async () => (await images.get([imageId]))[0] }]
  }
}

function setAside(notCompared: NotCompared, imageId: string): void {
  const tries = (notCompared.get(imageId) ?? 0) + 1
  notCompared.delete(imageId)
  if (tries < MAX_TRIES && notCompared.size < MAX_ASIDE) notCompared.set(imageId, tries)
}

async function compareOne(parts: ComparingParts, imageId: string, image: RegisteredImage): Promise<void> {
  const bank = parts.replica.catalogue.banks.get(image.bank)
  if (bank?.purpose !== 'match') return
  const near = await parts.index.near(image.signals, bank)
  const watchesByOrg = [...byOrg(near)].flatMap(([orgId, watches]) =>
    isVisibleTo(bank, orgId) ? [{ orgId, watches: watches.sort((a, b) => (a.watchId < b.watchId ? -1 : 1)) }] : [],
  )
  const { failed } = await forEachDue({
    what: 'organisations whose watches to compare with a picture',
    take: watchesByOrg,
    // Notify an organisation about a picture for one watch only. With many watches around a hash, the set of matching watches would reveal where the
    // registered hash lies.
    async handle({ watches }) {
      let isNotified = false
      let signals = 0
      const ofOrg = await forEachDue({
        what: 'watches to compare with a picture',
        take: watches,
        async handle(watch) {
          if (isNotified || signals >= MAX_COMPARED_PER_ORG) return
          const asked = await askedOf(parts.watches, watch)
          if (asked === undefined) return
          signals += Math.max(MAX_SIGNALS_PER_WATCH, asked.signals.length)
          isNotified = await compare(parts, { ...watch, imageId, asked }, exactNameOf(bank))
        },
        onError: parts.onError,
        isNotAboutTheEntry: isTransient,
      })
      if (ofOrg.failed > 0 && !isNotified)
        throw new Error('a picture could not be compared with all watches of an organisation')
    },
    onError: parts.onError,
    isNotAboutTheEntry: isTransient,
  })
  if (failed > 0) throw new Error('a picture could not be compared with all watches')
}

/** A query made of a watch. */
interface AskedWatch {
  /** Of a picture, all; of a video, those of its near frames. */
  readonly signals: readonly HashedSignal[]
  readonly video: AskedVideo | undefined
}

/** @returns `undefined` when the watch does not exist any more. */
async function askedOf(watches: Watches, { watchId, frames }: NearWatch): Promise<AskedWatch | undefined> {
  const [watched] = await watches.get([watchId])
  if (watched === undefined) return undefined
  const { video } = watched
  if (video === undefined) return { signals: watched.signals.map(toAsked), video }
  const [ofFile = [], ...byFrame] = signalsByFrame(watched)
  const file = ofFile.map(toAsked)
  const near = frames.map((frame) => ({
    atMs: video.framesAtMs[frame] ?? 0,
    signals: (byFrame[frame] ?? []).map(toAsked),
  }))
  return { signals: [...file, ...near.flatMap(({ signals }) => signals)], video: { frames: near, file } }
}

function toAsked({ type, view, quality, hash }: Signal): HashedSignal {
  return { type, view, quality, hashes: rotated(type, view, hash) }
}

/**
 * Queries the matcher with a watch on behalf of its organisation. So evidence, thresholds, allowlists, grades and follow-up are those of a normal
 * match. It counts as a query of the organisation (probing.ts).
 * @returns whether it matched and the organisation is notified.
 */
async function compare(
  { watches, matcher, matchIds, now }: ComparingParts,
  {
    watchId,
    orgId,
    imageId,
    asked,
  }: { readonly watchId: string; readonly orgId: string; readonly imageId: string; readonly asked: AskedWatch },
  bank: string,
): Promise<boolean> {
  // Only this image is asked about; others near the watch are ignored.
  const about = { orgId, banks: [bank], thresholdBits: undefined, imageId }
  const { video, signals } = asked
  const matching = video === undefined ? matcher.match([{ signals }], about) : matcher.matchVideos([video], about)
  const [result] = await matching.catch((error) => {
    // The organisation may just have lost access to the bank.
    if (error instanceof Problem && error.code === 'bank-unknown') return []
    throw error
  })
  const matchId = matchIds.idFor(orgId, imageId)
  const match = result?.matches.find((one) => one.matchId === matchId)
  if (match === undefined || match.grade === 'review') return false
  await watches.found({ watchId, imageId, orgId, grade: match.grade, atMs: now() })
  return true
}

function byOrg(near: readonly NearWatch[]): Map<string, NearWatch[]> {
  const found = new Map<string, NearWatch[]>()
  for (const watch of near) {
    const watches = found.get(watch.orgId) ?? []
    watches.push(watch)
    found.set(watch.orgId, watches)
  }
  return found
}

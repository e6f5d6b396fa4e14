// Content as HMA knows it: an image of a bank with an integer id and a note, which its owner may disable for a time.

import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import type { Images } from '../../store/images/images.js'
import type { DueHold, HoldSchedule } from '../../store/organisations/hold-expiries.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { Replica } from '../index/replica.js'
import { forEachDue } from '../load/each-due.js'
import type { TrustService } from '../trust/trust.js'
import type { ContentIds } from './content-ids.js'

export interface Content {
  readonly imageId: string
  readonly image: RegisteredImage
  /** 1 if it matches; otherwise when it does so again by itself [Unix seconds], or 0: paused without end, held by others, or invalidated. */
  readonly disableUntilS: number
}

export interface Contents {
  /** The organisation's integer id of an image. */
  idFor(orgId: string, imageId: string): number
  /**
   * Finds a content, including one that this process has not applied yet.
   * @returns `undefined` if the bank has no such content in the store.
   * Cost: some microseconds for each registered image, yielding in between. @throws {Problem} index-loading, store-unavailable
   */
  find(orgId: string, bank: string, contentId: number): Promise<Content | undefined>
  /**
   * Effective on every route when it resolves. @param untilS [Unix seconds] 0 disables without end; a past time enables now.
   * @returns `untilS`; or 0 if others hold it, which its owner cannot end.
   */
  disableUntil(imageId: string, untilS: number, by: AuditActor): Promise<number>
  /** Replaces the reference of an image. @throws {Problem} signal-unknown if the image was removed meanwhile; it stays removed */
  setRef(imageId: string, image: RegisteredImage, ref: string | undefined): Promise<void>
  /** Enables contents whose pause has ended. Runs by itself every 5 s. */
  releaseDue(): Promise<void>
  close(): Promise<void>
}

export interface ContentParts {
  readonly images: Images
  readonly replica: Replica
  readonly trust: Pick<TrustService, 'signal' | 'pause' | 'resume' | 'resumeIfDue'>
  readonly holdSchedule: HoldSchedule
  readonly ids: ContentIds
  /** Reads the store's revision. */
  readonly lastRevision: () => Promise<number>
  /** Up to when pauses have ended [epoch ms]; `undefined`: none ends now. */
  readonly dueUntilMs: () => Promise<number | undefined>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const RELEASE_INTERVAL_MS = 5000
const RELEASED_AT_ONCE = 100
const PARTS_AT_ONCE = 1024
const ENABLED = 1

export function createContents(parts: ContentParts): Contents {
  const { images, replica, trust, holdSchedule, ids, lastRevision, dueUntilMs, now, onError } = parts
  let last: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    last = last.then(releaseDue).catch(onError)
  }, RELEASE_INTERVAL_MS).unref()

  async function releaseDue(): Promise<void> {
    if (!replica.isReady) return
    const untilMs = await dueUntilMs()
    if (untilMs === undefined) return
    await forEachDue<DueHold>({
      what: 'signals to release',
      take: (after) => holdSchedule.due(untilMs, after?.cursor, RELEASED_AT_ONCE),
      async handle(due) {
        if (due.imageId !== undefined) await orGone(trust.resumeIfDue(due.imageId))
        await holdSchedule.discard(due) // resuming removes it too, but not if the image is gone or the entry has no id
        if (due.imageId === undefined) throw new Error('an entry of the hold schedule was no image id and was removed')
      },
      onError,
    })
  }

  /**
   * Searches a second time once this process has the store's revision: another process may have just registered the image. An image that was held or
   * released during the first search may have been missed in both lists.
   */
  async function idAsStored(orgId: string, bank: string, contentId: number): Promise<string | undefined> {
    const before = replica.revision
    const found = await idOf(orgId, bank, contentId)
    if (found !== undefined) return found
    await replica.reached(await lastRevision())
    return replica.revision === before ? undefined : idOf(orgId, bank, contentId)
  }

  async function idOf(orgId: string, bank: string, contentId: number): Promise<string | undefined> {
    const { catalogue } = replica
    for (let part = 0; part < ID_PARTS; part += PARTS_AT_ONCE) {
      const there = catalogue.imagesInParts(part, part + PARTS_AT_ONCE)
      const found = there.find((image) => image.bank === bank && ids.idFor(orgId, image.id) === contentId)
      if (found !== undefined) return found.id
      await new Promise((resolve) => setImmediate(resolve))
    }
    return catalogue.silent.find((id) => ids.idFor(orgId, id) === contentId)
  }

  return {
    idFor: (orgId, imageId) => ids.idFor(orgId, imageId),
    async find(orgId, bank, contentId) {
      const imageId = await idAsStored(orgId, bank, contentId)
      if (imageId === undefined) return undefined
      const [image] = await images.get([imageId])
      if (image === undefined || image.bank !== bank) return undefined
      const { silentUntilS } = await trust.signal(imageId)
      return { imageId, image, disableUntilS: silentUntilS ?? ENABLED }
    },
    async disableUntil(imageId, untilS, by) {
      const isOver = untilS !== 0 && untilS * 1000 <= now()
      const { silentUntilS } = await (isOver ? trust.resume(imageId, by) : trust.pause(imageId, untilS, by))
      return silentUntilS ?? untilS
    },
    async setRef(imageId, image, ref) {
      const revision = await images.replace({ id: imageId, image: { ...image, ref } })
      if (revision === undefined) throw new Problem('signal-unknown')
      await replica.reached(revision)
    },
    releaseDue,
    async close() {
      clearInterval(timer)
      await last
    },
  }
}

async function orGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'signal-unknown') throw error
  }
}

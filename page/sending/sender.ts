// Sends pictures in small parts. A part keeps its idempotency key: if the answer is lost, it is sent again and gets the same answer. So "protected"
// is shown only on the server's answer for that image.

import type { Category } from '../../packages/core/src/matching/signal.js'
import { newKey } from '../../src/domain/random-key.js'
import { type Access, type Added, api } from '../api.js'
import { hasClip, kindOf, protectedPart, type Usable } from '../choosing/picture.js'
import type { Kind } from '../file-counts.js'
import type { Hashed, Reason } from '../hashing/outcome.js'
import { firstBytes, type PickedFile, unpacked } from '../unpacking/packed-file.js'
import { handlingOf } from './handling.js'
import type { Failure } from './requests.js'

export type Result =
  | {
      readonly at: 'protected'
      readonly quality: number | undefined
      readonly part?: number | undefined
      readonly hasClip?: boolean
    }
  /** Registered, and matches nothing until it has been reviewed. */
  | { readonly at: 'held' }
  | { readonly at: 'refused'; readonly why: Reason }
  /** The server gave no usable answer, again and again. Calling `send` again tries again. */
  | { readonly at: 'failed' }

export interface Watcher {
  readonly settled: (id: number, result: Result) => void
  /** Called while nothing can be sent, and with `undefined` once something can. `retryAt` is when the next try comes. */
  readonly held: (failure: Failure | undefined, retryAt: Date | undefined) => void
}

export interface Job {
  readonly access: Access
  readonly pictures: readonly Usable[]
  readonly category: Category | undefined
  /** The maximum size of a file that the server accepts. */
  readonly maxBytes: Readonly<Record<Kind, number>>
}

export interface Waiting {
  readonly now: () => number
  /** Resolves after this time, when the device is online again, or when the retry button is pressed. */
  readonly until: (ms: number) => Promise<void>
}

interface Part {
  readonly key: string
  readonly pictures: readonly Usable[]
  readonly withDetails: boolean
  readonly tries: number
  /** How many answers explained nothing, such as a proxy's page. */
  readonly unexplained: number
  readonly notBeforeMs: number
}

const PICTURES_A_REQUEST = 20
/** After this many answers that explain nothing, the images of a part are sent one by one, and then given up. */
const MAX_UNEXPLAINED = 4
const FIRST_WAIT_MS = 1000
const MAX_WAIT_MS = 30_000
/** Longest wait that a server may ask for. The retry button ends it early. */
const MAX_ASKED_WAIT_MS = 600_000

/**
 * Sends all images. One that fails does not stop the others. A settled image is not sent again.
 * @returns a function that resolves once each image is settled: `false` when some failed, or when the case takes nothing more. Calling it again
 *   continues with those.
 */
export function sender(job: Job, watcher: Watcher, waiting: Waiting): () => Promise<boolean> {
  let queue: Part[] = partsOf(job, watcher)
  const failed: Usable[] = []

  return async function send() {
    queue.push(...failed.splice(0).map((picture) => partOf([picture])))
    for (let part = takeNext(); part !== undefined; part = takeNext()) {
      const waitMs = part.notBeforeMs - waiting.now()
      if (waitMs > 0) await waiting.until(waitMs)
      const answer = await request(job, part)
      if ('value' in answer) {
        watcher.held(undefined, undefined)
        part.pictures.forEach((picture, k) => {
          const added = isVideo(picture) ? answer.value.videos?.[k] : answer.value.images[k]
          settle(picture, resultOf(picture, added))
        })
      } else if (!(await handle(part, answer.failure))) return false
    }
    return failed.length === 0
  }

  function takeNext(): Part | undefined {
    const next = soonestOf(queue)
    queue = queue.filter((part) => part !== next)
    return next
  }

  /** @returns whether sending goes on. */
  async function handle(part: Part, failure: Failure): Promise<boolean> {
    const [first, ...others] = part.pictures
    if (first === undefined) return true
    const handling = failure.kind === 'rejected' ? handlingOf(failure.code) : 'again'
    if (handling === 'closed') {
      queue.unshift(part)
      watcher.held(failure, undefined)
      return false
    }
    if (handling === 'full' && others.length > 0) {
      queue.unshift(...part.pictures.map((picture) => partOf([picture]))) // some may fit
      return true
    }
    if (handling === 'full' || handling === 'suspended') {
      const why = handling === 'full' ? 'no-room' : handling
      for (const { pictures } of [part, ...queue.splice(0)]) for (const one of pictures) settle(one, { at: 'refused', why })
      watcher.held(failure, undefined)
      return true
    }
    if (handling === 'without-details' && part.withDetails) {
      queue.unshift({ ...partOf(part.pictures), withDetails: false })
      return true
    }
    if (handling === 'again' && 'file' in first && !(await isReadable(first.file))) {
      settle(first, { at: 'refused', why: 'unreadable' })
      return true
    }
    const isExplained = handling === 'again' && (await explains(job, failure, first))
    const unexplained = part.unexplained + (isExplained ? 0 : 1)
    const isOver = !isWorthAnotherTry(handling) || unexplained >= MAX_UNEXPLAINED
    if (!isOver && handling === 'with-another-key') queue.unshift({ ...part, unexplained, key: newKey() })
    else if (!isOver) again({ ...part, unexplained }, failure)
    else if (others.length > 0) queue.unshift(...part.pictures.map((picture) => ({ ...partOf([picture]), unexplained })))
    else settle(first, outcomeOf(first, handling))
    return true
  }

  function again(part: Part, failure: Failure): void {
    const nowMs = waiting.now()
    const notBeforeMs = nowMs + waitFor(failure, part.tries)
    queue.push({ ...part, tries: part.tries + 1, notBeforeMs })
    // The connection failed, so no other part is tried earlier.
    if (failure.kind === 'offline' || failure.kind === 'away')
      queue = queue.map((each) => ({ ...each, notBeforeMs: Math.max(each.notBeforeMs, notBeforeMs) }))
    if (queue.every((each) => each.notBeforeMs > nowMs)) watcher.held(failure, new Date(notBeforeMs))
  }

  function settle(picture: Usable, result: Result): void {
    if (result.at === 'failed') failed.push(picture)
    watcher.settled(picture.id, result)
  }
}

/** The part whose next try comes first. */
function soonestOf([first, ...rest]: readonly Part[]): Part | undefined {
  return first && rest.reduce((soonest, part) => (part.notBeforeMs < soonest.notBeforeMs ? part : soonest), first)
}

function isVideo(picture: Usable): boolean {
  return kindOf(picture) === 'videos'
}

/** Hashes of pictures first: they are small, and most images are sent as hashes. A video has up to a megabyte of them. */
function partsOf({ pictures, maxBytes }: Job, watcher: Watcher): Part[] {
  const hashed = pictures.filter((picture) => 'hashed' in picture && !isVideo(picture))
  const parts = Array.from({ length: Math.ceil(hashed.length / PICTURES_A_REQUEST) }, (_, i) =>
    partOf(hashed.slice(i * PICTURES_A_REQUEST, (i + 1) * PICTURES_A_REQUEST)),
  )
  parts.push(...pictures.filter((picture) => 'hashed' in picture && isVideo(picture)).map((video) => partOf([video])))
  for (const picture of pictures) {
    if (!('file' in picture)) continue
    if (picture.file.size <= maxBytes[picture.kind]) parts.push(partOf([picture]))
    else watcher.settled(picture.id, outcomeOf(picture, 'file-too-large'))
  }
  return parts
}

function partOf(pictures: readonly Usable[]): Part {
  return { key: newKey(), pictures, withDetails: true, tries: 0, unexplained: 0, notBeforeMs: 0 }
}

async function request(job: Job, { pictures, key, withDetails }: Part) {
  const [first] = pictures
  if (first !== undefined && 'file' in first) {
    const file = await unpacked(first.file).catch(() => undefined)
    if (file === undefined) return UNSENDABLE
    return first.kind === 'videos' ? api.addVideo(job.access, file, key) : api.addFile(job.access, file, key)
  }
  const hashed = pictures.flatMap((picture) => ('hashed' in picture ? [picture.hashed] : []))
  const category = job.category === undefined ? {} : { category: job.category }
  const images = hashed.flatMap((each) => (each.kind === 'hashed' ? [contentOf(each, category, withDetails)] : []))
  const videos = hashed.flatMap((each) => (each.kind === 'hashed' ? [] : [{ ...each.video, ...category }]))
  return api.addHashes(job.access, { images, ...(videos.length > 0 && { videos }) }, key)
}

/** Whether a failed connection explains the failure. If the server answers other requests, it rejects this file. */
async function explains(job: Job, { kind }: Failure, picture: Usable): Promise<boolean> {
  if (kind === 'fault') return false
  return kind !== 'away' || !('file' in picture) || 'failure' in (await api.view(job.access))
}

function contentOf(
  { signals, animation, details }: Hashed,
  category: { readonly category?: Category },
  withDetails: boolean,
) {
  return { signals, ...(animation && { animation }), ...(details !== undefined && withDetails && { details }), ...category }
}

/** At least the own backoff: a server that asks for no delay would otherwise be called in a loop. */
function waitFor(failure: Failure, tries: number): number {
  const askedMs = 1000 * (('retryAfterS' in failure ? failure.retryAfterS : undefined) ?? 0)
  return Math.max(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), Math.min(askedMs, MAX_ASKED_WAIT_MS))
}

/** Nothing was sent, because the file cannot be unpacked any more: `isReadable` finds out. */
const UNSENDABLE: { readonly failure: Failure } = { failure: { kind: 'fault' } }

/** A file that was deleted, or is on a removed card, cannot be sent. The browser only reports that sending failed. */
async function isReadable(file: PickedFile): Promise<boolean> {
  try {
    await firstBytes(await unpacked(file), 1)
    return true
  } catch {
    return false
  }
}

function isWorthAnotherTry(handling: ReturnType<typeof handlingOf>): handling is 'again' | 'with-another-key' | undefined {
  return handling === undefined || handling === 'again' || handling === 'with-another-key'
}

function outcomeOf(picture: Usable, handling: ReturnType<typeof handlingOf>): Result {
  if (isWorthAnotherTry(handling)) return { at: 'failed' }
  const isAboutCase = handling === 'closed' || handling === 'full' || handling === 'without-details'
  const why = isAboutCase ? 'refused' : handling
  return { at: 'refused', why: isVideo(picture) ? (OF_VIDEOS[why] ?? why) : why }
}

/** Reasons that pictures and videos share, but whose sentence is about a picture. */
const OF_VIDEOS: Partial<Readonly<Record<Reason, Reason>>> = {
  'too-plain': 'video-too-plain',
  'server-cannot': 'video-undecodable',
  'file-too-large': 'video-undecodable',
}

function resultOf(picture: Usable, added: Added | undefined): Result {
  if (added === undefined) return { at: 'failed' }
  if (added.state === 'held') return { at: 'held' }
  if (added.state === 'registered' && 'hashed' in picture)
    return {
      at: 'protected',
      quality: picture.hashed.quality,
      part: protectedPart(picture.hashed),
      hasClip: hasClip(picture.hashed),
    }
  if (added.state === 'registered') return { at: 'protected', quality: added.quality, part: protectedPart(added) }
  return outcomeOf(picture, handlingOf(added.problem?.code))
}

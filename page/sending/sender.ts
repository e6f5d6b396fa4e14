// Sends what was read, in small parts, and goes on where it was when the line or the server comes back.

import type { Category } from '../../src/domain/signal.js'
import { type Access, type Added, type Answer, api, type Failure } from '../api.js'
import type { Usable } from '../choosing/picture.js'
import type { Hashed, Reason } from '../hashing/outcome.js'

export type Result =
  | { readonly at: 'protected'; readonly quality: number | undefined }
  | { readonly at: 'refused'; readonly why: Reason }

export interface Watcher {
  readonly settled: (id: number, result: Result) => void
  /** Told while there is no way on, and with `undefined` when there is one again. `retryAt` is when the next try comes. */
  readonly held: (failure: Failure | undefined, retryAt: Date | undefined) => void
}

export interface Job {
  readonly access: Access
  readonly pictures: readonly Usable[]
  readonly category: Category | undefined
  /** Nobody else knows this case yet, so how many images it has tells which of them arrived. */
  readonly isOwn: boolean
  /** How large a file the server takes. */
  readonly maxImageBytes: number
}

const PICTURES_A_REQUEST = 20

/**
 * Sends all pictures. What is settled is not sent again, and a part whose answer was lost is asked for before it is repeated.
 * @returns once each picture is settled. Resolves early, with `false`, when the case takes nothing more or the fault is the server's
 * own; calling it again goes on.
 */
export function sender(job: Job, watcher: Watcher, waiting: Waiting) {
  const open = new Map(job.pictures.map((picture) => [picture.id, picture]))
  let arrived = 0

  return async function send(): Promise<boolean> {
    while (open.size > 0) {
      const part = nextPart([...open.values()])
      const answer = await untilAnswered(part)
      if ('failure' in answer && !settlesAlone(answer.failure, part)) {
        watcher.held(answer.failure, undefined)
        return false
      }
      watcher.held(undefined, undefined)
      part.forEach((picture, k) => {
        const result = 'value' in answer ? resultOf(picture, answer.value.images[k]) : refusedAs(answer.failure)
        if (result.at === 'protected') arrived++
        open.delete(picture.id)
        watcher.settled(picture.id, result)
      })
    }
    return true
  }

  async function untilAnswered(part: readonly Usable[]): Promise<Answer<{ readonly images: readonly Added[] }>> {
    for (let tries = 0; ; tries++) {
      const answer = tries > 0 && (await hasArrived(part)) ? taken(part) : await request(part)
      if ('value' in answer || answer.failure.kind === 'refused' || answer.failure.kind === 'fault') return answer
      const waitMs = waitFor(answer.failure, tries)
      watcher.held(answer.failure, new Date(waiting.now() + waitMs))
      await waiting.until(waitMs)
    }
  }

  function request(part: readonly Usable[]) {
    const [first] = part
    if (first !== undefined && 'file' in first) return api.addFile(job.access, first.file)
    return api.addHashes(
      job.access,
      part.flatMap((picture) => ('hashed' in picture ? [contentOf(picture.hashed, job.category)] : [])),
    )
  }

  /** An image is stored or it is not, a part is stored as a whole: so the number of images tells. */
  async function hasArrived(part: readonly Usable[]): Promise<boolean> {
    if (!job.isOwn) return false
    const view = await api.view(job.access)
    return 'value' in view && view.value.images === arrived + part.length
  }

  function nextPart(left: readonly Usable[]): readonly Usable[] {
    const tooLarge = left.find((picture) => 'file' in picture && picture.file.size > job.maxImageBytes)
    if (tooLarge !== undefined) {
      open.delete(tooLarge.id)
      watcher.settled(tooLarge.id, { at: 'refused', why: 'file-too-large' })
      return nextPart([...open.values()])
    }
    const hashed = left.filter((picture) => 'hashed' in picture)
    return hashed.length > 0 ? hashed.slice(0, PICTURES_A_REQUEST) : left.slice(0, 1)
  }
}

function contentOf({ signals, details }: Hashed, category: Category | undefined) {
  return { signals, ...(details !== undefined && { details }), ...(category !== undefined && { category }) }
}

export interface Waiting {
  readonly now: () => number
  /** Resolves after so long, or when the device has a connection again, or when she asks for another try. */
  readonly until: (ms: number) => Promise<void>
}

const LONGEST_WAIT_MS = 30_000

function waitFor(failure: Failure, tries: number): number {
  const asked = 'retryAfterS' in failure ? failure.retryAfterS : undefined
  return asked === undefined ? Math.min(LONGEST_WAIT_MS, 1000 * 2 ** tries) : 1000 * asked
}

/** A refusal of one picture is that picture's; everything else is the whole case's. */
function settlesAlone(failure: Failure, part: readonly Usable[]): boolean {
  return failure.kind === 'refused' && part.length === 1 && REASONS_OF_CODES[failure.code] !== undefined
}

const REASONS_OF_CODES: Readonly<Record<string, Reason>> = {
  'quality-too-low': 'too-plain',
  'image-too-large': 'file-too-large',
  'image-too-many-pixels': 'too-many-pixels',
  'image-undecodable': 'server-cannot',
  'media-unsupported': 'server-cannot',
  'image-empty': 'unreadable',
  'upload-incomplete': 'unreadable',
  'request-invalid': 'refused',
}

function refusedAs(failure: Failure): Result {
  const code = failure.kind === 'refused' ? failure.code : ''
  return { at: 'refused', why: REASONS_OF_CODES[code] ?? 'refused' }
}

function resultOf(picture: Usable, added: Added | undefined): Result {
  if (added?.state === 'registered')
    return { at: 'protected', quality: 'hashed' in picture ? picture.hashed.quality : added.quality }
  return { at: 'refused', why: REASONS_OF_CODES[added?.problem?.code ?? ''] ?? 'refused' }
}

function taken(part: readonly Usable[]): { readonly value: { readonly images: readonly Added[] } } {
  return { value: { images: part.map(() => ({ state: 'registered' })) } }
}

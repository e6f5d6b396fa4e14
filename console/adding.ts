// Hashes files on this device, as the page does, and sends the hashes to a bank. No file leaves the device.

import { protectedPart, WELL_PROTECTED_QUALITY } from '../page/choosing/picture.js'
import type { Hashed, HashedVideoFile, OpenFailure, Outcome as Read } from '../page/hashing/outcome.js'
import { canHashHere, hashingPool } from '../page/hashing/pool.js'
import { say, sayShare } from '../page/messages.js'
import type { Api } from './ask-api.js'
import { untilAnswered } from './file-sending.js'

/** `unsent`: hashed, but the service did not accept it, for a reason other than the file. */
export interface FileState {
  readonly at: 'busy' | 'added' | 'refused' | 'stopped' | 'unsent'
  /** The state in words. */
  readonly text: string
}

export interface AddingOptions {
  readonly api: Api
  readonly bank: string
  /** For all files. */
  readonly ref: string | undefined
  /** Stops everything. */
  readonly signal: AbortSignal
  readonly tell: (id: number, state: FileState) => void
}

export interface Adding {
  /** Hashes files and sends their hashes. The id of a file is its index. Resolves once the state of each has been reported. */
  add(files: readonly File[]): Promise<void>
  /** Sends what is unsent. */
  sendAgain(): Promise<void>
}

type Readable = Hashed | HashedVideoFile
interface Answer {
  readonly signals: readonly { readonly state: 'registered' | 'held' | 'refused' }[]
}

/** Statuses by which the service refuses the content of one request. Any other refusal would meet the next request, too. */
const STATUSES_OF_CONTENT = [400, 410, 413, 422]

const STOPPED: FileState = { at: 'stopped', text: 'Not added: it was stopped' }
const UNKNOWN: FileState = {
  at: 'stopped',
  text: 'Stopped before the service answered. Choose it again: it is not added twice',
}

export function createAdding({ api, bank, ref, signal, tell }: AddingOptions): Adding {
  const path = `/v1/banks/${encodeURIComponent(bank)}/signals`
  const unsent = new Map<number, Readable>()
  /** Why nothing more is sent. */
  let problem: string | undefined
  let sending = Promise.resolve()

  return {
    async add(files) {
      const pool = hashingPool({ areEndedWhenIdle: true })
      signal.addEventListener('abort', () => pool.stop(), { once: true })
      await Promise.all(files.map((file, id) => hash(pool, file, id)))
      await sent()
    },
    async sendAgain() {
      problem = undefined
      for (const [id, hashed] of unsent) queue(id, hashed)
      await sent()
    },
  }

  async function sent(): Promise<void> {
    await sending
    if (signal.aborted) for (const id of unsent.keys()) tell(id, STOPPED)
  }

  async function hash(pool: ReturnType<typeof hashingPool>, file: File, id: number): Promise<void> {
    if (!canHashHere()) return tell(id, { at: 'refused', text: UNOPENED.browser })
    let told = ''
    const busy = (text: string) => {
      if (text !== told) tell(id, { at: 'busy', text })
      told = text
    }
    busy(say('run.state.waiting')())
    const read = await pool.hash(file, 'hashes', {
      begun: () => busy(say('run.state.reading')()),
      handedOn: () => busy(say('run.state.waiting')()),
      progress: (share) => busy(say('run.state.readSoFar', { share: sayShare(Math.floor(100 * share) / 100) })()),
      signal,
    })
    if (read === undefined) tell(id, STOPPED)
    else if (read.kind === 'rejected' || read.kind === 'upload') tell(id, { at: 'refused', text: reasonOf(read) })
    else queue(id, read)
  }

  function queue(id: number, hashed: Readable): void {
    unsent.set(id, hashed)
    tell(id, { at: 'busy', text: 'Hashed' })
    sending = sending.then(async () => tell(id, await send(id, hashed)))
  }

  /** One file a request, so that each answer is about one file. */
  async function send(id: number, hashed: Readable): Promise<FileState> {
    if (signal.aborted) return STOPPED
    if (problem !== undefined) return { at: 'unsent', text: problem }
    const body = bodyOf(hashed, ref === undefined ? {} : { ref })
    const outcome = await untilAnswered(() => api.send<Answer | null>('POST', path, body), signal)
    const state = outcome !== undefined && 'value' in outcome ? outcome.value?.signals?.[0]?.state : undefined
    const isOfContent = outcome !== undefined && 'problem' in outcome && STATUSES_OF_CONTENT.includes(outcome.status)
    if (outcome === undefined || isOfContent || state === 'registered' || state === 'held') unsent.delete(id)
    if (outcome === undefined) return UNKNOWN
    if (state === 'registered' || state === 'held') return { at: 'added', text: state === 'held' ? HELD : addedAs(hashed) }
    const text = 'problem' in outcome ? outcome.problem : 'The service answered with an error.'
    if (isOfContent) return { at: 'refused', text }
    problem = text
    return { at: 'unsent', text }
  }
}

function bodyOf(hashed: Readable, common: { readonly ref?: string }): object {
  if (hashed.kind === 'hashed') {
    const { signals, animation } = hashed
    return { images: [{ signals, ...(animation && { animation }), ...common }] }
  }
  return { videos: [{ ...hashed.video, ...common }] }
}

const HELD = 'Added, and matches nothing: this bank holds it back'

function addedAs(hashed: Readable): string {
  const part = protectedPart(hashed)
  if (part !== undefined)
    return `Added for ${sayShare(part)()} of its length. The rest is too dark, plain or blurred, or could not be read`
  return hashed.quality < WELL_PROTECTED_QUALITY ? 'Added. Screenshots of it may be missed' : 'Added'
}

/** The console never sends a picture or video, so it says what to do instead. */
const UNOPENED: Readonly<Record<OpenFailure, string>> = {
  format: 'This browser cannot open pictures of this kind. Take a screenshot of it and choose that, or use another browser.',
  browser: 'This browser cannot hash pictures or videos. Use Chrome, Edge, Firefox or Safari in its newest version.',
  altered:
    'This browser changes pictures while a page reads them, and their hashes would find nothing. Allow this page to read images (canvas), or use another browser.',
  animated:
    'This picture moves, and this browser can read only its first frame. Use Chrome or Edge in its newest version, or take a screenshot of it and choose that.',
}

function reasonOf(read: Exclude<Read, Readable>): string {
  if (read.kind === 'upload') return read.format === 'video' ? say('run.why.video-undecodable')() : UNOPENED[read.because]
  return say(read.why === 'not-a-picture' && read.what !== undefined ? `run.what.${read.what}` : `run.why.${read.why}`)()
}

// The service's own API, as far as the page uses it. What it may send is written here and nowhere else.

import type { CaseState } from '../src/domain/cases/case.js'
import type { CaseEventKind, PlatformBucket } from '../src/domain/cases/case-event.js'
import type { ReportFormat } from '../src/domain/cases/report-words.js'
import type { Law, Statement } from '../src/domain/cases/sla.js'
import type { Category } from '../src/domain/matching/signal.js'
import type { DisputeAnswer } from '../src/domain/trust/trust.js'
import type { FileSignal, HashedVideoFile } from './hashing/outcome.js'
import type { Challenge, Proof } from './proving.js'

export interface Access {
  readonly caseNumber: string
  /** Another one once the PIN has changed: whatever is under way with this goes on with it. */
  token: string
}

export interface Opened extends Access {
  readonly pin: string
  readonly recoveryCode: string
}

export interface GivenPin {
  /** null: too many wrong PINs were tried, so the recovery code alone opens the case. */
  readonly pin: string | null
  readonly recoveryCode: string
}

export interface CaseView {
  readonly caseNumber: string
  readonly state: CaseState
  readonly category: Category | null
  readonly createdAt: string
  readonly expiresAt: string
  readonly remindAt: string
  readonly withdrawnAt: string | null
  readonly expiredAt: string | null
  readonly images: number
  readonly extendedProtection: boolean
}

export interface CaseEvent {
  readonly id: string
  readonly kind: CaseEventKind
  readonly at: string
  readonly images?: number
  readonly platforms?: PlatformBucket
  readonly attempts?: number
}

export interface RegisteredPicture {
  readonly imageId: string
  readonly registeredAt: string
  readonly quality: number
  /** false: held until somebody has looked at it, or judged a false report. */
  readonly matching: boolean
  readonly disputed: boolean
  /** The submitter's answer to the dispute. */
  readonly answer: DisputeAnswer | null
  /** [s] Only of a video. */
  readonly durationS?: number
}

export interface NoticeRequest {
  readonly laws: readonly Law[]
  readonly statements: readonly Statement[]
  readonly actingAs: 'self' | 'representative'
  readonly contact?: string
}

export interface StoredNotice {
  readonly laws: readonly Law[]
  readonly givenAt: string
}

/** All that is kept of a case. The receipt is signed: it is saved as it came, and not looked into. */
export interface CaseFile {
  readonly case: CaseView
  readonly events: readonly CaseEvent[]
  readonly images: readonly RegisteredPicture[]
  readonly receipt: { readonly images: number } | null
}

export interface GivenHashes {
  readonly images: readonly {
    readonly signals: readonly FileSignal[]
    readonly details?: string
    readonly category?: Category
  }[]
  readonly videos?: readonly (HashedVideoFile['video'] & { readonly category?: Category })[]
}

export interface Added {
  readonly quality?: number
  /** held: registered, and matches nothing until it has been reviewed. */
  readonly state: 'registered' | 'held' | 'refused'
  readonly problem?: { readonly code: string }
}

/**
 * Why there is no answer. offline: the device has no connection. away: the server does not answer, or says that it cannot now.
 * busy: it has been asked too much. fault: its own mistake, or an answer that explains nothing. refused: no, for the reason `code`.
 */
export type Failure =
  | { readonly kind: 'offline' | 'fault' }
  | { readonly kind: 'away' | 'busy'; readonly retryAfterS: number | undefined }
  | { readonly kind: 'rejected'; readonly code: string; readonly retryAfterS: number | undefined }

export type Answer<T> = { readonly value: T } | { readonly failure: Failure }

export const api = {
  openCase: (
    category: Category | undefined,
    extendedProtection: boolean,
    key: string,
    proof?: Proof,
  ): Promise<Answer<Opened>> =>
    ask('POST', '/v1/cases', {
      key,
      json: { adult: true, extendedProtection, ...(category !== undefined && { category }), ...(proof && { proof }) },
    }),

  challenge: (): Promise<Answer<Challenge>> => ask('GET', '/v1/cases/challenge', {}),

  /** @param pin or the recovery code in its place. */
  token: (caseNumber: string, pin: string): Promise<Answer<{ readonly token: string }>> =>
    ask('POST', `${pathOf(caseNumber)}/tokens`, { json: { pin } }),

  view: ({ caseNumber, token }: Access): Promise<Answer<CaseView>> => ask('GET', pathOf(caseNumber), { token }),

  file: ({ caseNumber, token }: Access): Promise<Answer<CaseFile>> => ask('GET', `${pathOf(caseNumber)}/export`, { token }),

  /** Signed. @param language of the pages of a PDF. */
  report: ({ caseNumber, token }: Access, format: ReportFormat, language: string): Promise<Answer<Blob>> =>
    ask('GET', `${pathOf(caseNumber)}/report?format=${format}&lang=${language}`, { token, as: 'blob' }),

  /** The time line as Server-Sent Events, from after an event on, for as long as the line holds. */
  events: ({ caseNumber, token }: Access, afterId: string, signal: AbortSignal): Promise<Answer<ReadableStream>> =>
    ask('GET', `${pathOf(caseNumber)}/events`, { token, as: 'stream', afterId, signal }),

  renew: ({ caseNumber, token }: Access): Promise<Answer<Pick<CaseView, 'expiresAt' | 'remindAt'>>> =>
    ask('POST', `${pathOf(caseNumber)}/renewals`, { token }),

  newPin: ({ caseNumber, token }: Access, key: string): Promise<Answer<GivenPin>> =>
    ask('POST', `${pathOf(caseNumber)}/pin`, { token, key }),

  notice: ({ caseNumber, token }: Access): Promise<Answer<{ readonly notice: StoredNotice | null }>> =>
    ask('GET', `${pathOf(caseNumber)}/notice`, { token }),

  submitNotice: ({ caseNumber, token }: Access, notice: NoticeRequest): Promise<Answer<StoredNotice>> =>
    ask('PUT', `${pathOf(caseNumber)}/notice`, { token, json: notice }),

  answer: ({ caseNumber, token }: Access, imageId: string, answer: DisputeAnswer): Promise<Answer<unknown>> =>
    ask('PUT', `${pathOf(caseNumber)}/images/${encodeURIComponent(imageId)}/answer`, { token, json: { answer } }),

  withdraw: ({ caseNumber, token }: Access): Promise<Answer<unknown>> => ask('DELETE', pathOf(caseNumber), { token }),

  addHashes: (
    { caseNumber, token }: Access,
    hashes: GivenHashes,
    key: string,
  ): Promise<Answer<{ readonly images: readonly Added[]; readonly videos?: readonly Added[] }>> =>
    ask('POST', `${pathOf(caseNumber)}/hashes`, { token, key, json: hashes }),

  /** The one way for a picture to leave the device: called for files whose sending was agreed to. Its name stays here. */
  addFile: (
    { caseNumber, token }: Access,
    file: Blob,
    key: string,
  ): Promise<Answer<{ readonly images: readonly Added[]; readonly videos?: undefined }>> => {
    const form = new FormData()
    form.append('image', new Blob([file], { type: 'application/octet-stream' }), 'image')
    return upload(`${pathOf(caseNumber)}/images`, headersOf({ token, key }), form)
  },
} as const

const TIMEOUT_MS = 120_000

interface Content {
  readonly token?: string
  /** Of idempotency: the same for each try. */
  readonly key?: string
  readonly json?: unknown
  /** How the answer is read. */
  readonly as?: 'json' | 'blob' | 'stream'
  readonly afterId?: string
  readonly signal?: AbortSignal
}

async function ask<T>(method: string, path: string, content: Content): Promise<Answer<T>> {
  const { json, as = 'json', signal } = content
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(content),
      ...(json !== undefined && { body: JSON.stringify(json) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    })
    if (isForeign(response)) return { failure: noAnswer() }
    if (response.ok) return { value: await read(response, as) }
    return {
      failure: failureOf(response.status, response.headers.get('retry-after'), await response.text().catch(() => '')),
    }
  } catch {
    return { failure: noAnswer() }
  }
}

function headersOf({ token, key, json, as, afterId }: Content): Record<string, string> {
  return {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...(as === 'stream' && { accept: 'text/event-stream' }),
    ...(afterId !== undefined && { 'last-event-id': afterId }),
  }
}

/**
 * Sends a file for as long as it moves on: on a slow line a large one takes many minutes. `fetch` cannot tell how far it is.
 * The policy of the page lets it go to this service alone, also when it is redirected.
 */
function upload<T>(path: string, headers: Readonly<Record<string, string>>, form: FormData): Promise<Answer<T>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    let stalled = setTimeout(() => request.abort(), TIMEOUT_MS)
    request.upload.addEventListener('progress', () => {
      clearTimeout(stalled)
      stalled = setTimeout(() => request.abort(), TIMEOUT_MS)
    })
    request.addEventListener('loadend', () => {
      clearTimeout(stalled)
      resolve(answered(request))
    })
    request.send(form)
  })
}

function answered<T>(request: XMLHttpRequest): Answer<T> {
  const { status, responseText } = request
  if (status === 0) return { failure: noAnswer() }
  if (status >= 300) return { failure: failureOf(status, request.getResponseHeader('retry-after'), responseText) }
  try {
    return { value: JSON.parse(responseText) }
  } catch {
    return { failure: noAnswer() } // it broke off
  }
}

/** A network that asks to sign in first answers with a page of its own, as if all were well. */
function isForeign({ ok, status, headers }: Response): boolean {
  return ok && (status === 204 || headers.get('content-type')?.startsWith('text/html') === true)
}

function noAnswer(): Failure {
  return navigator.onLine ? { kind: 'away', retryAfterS: undefined } : { kind: 'offline' }
}

function read(response: Response, as: 'json' | 'blob' | 'stream') {
  if (as === 'stream') return response.body
  return as === 'blob' ? response.blob() : response.json()
}

/** A proxy before the service answers without a code of ours: 403 and 404 of its own say nothing about the case. */
function failureOf(status: number, retryAfter: string | null, body: string): Failure {
  const after = Number(retryAfter ?? Number.NaN)
  const retryAfterS = Number.isFinite(after) && after >= 0 ? after : undefined
  const code = codeIn(body)
  if (status === 429 && (code === undefined || code === 'rate-limited')) return { kind: 'busy', retryAfterS }
  if (status > 500 || status === 408 || code === 'idempotency-key-busy') return { kind: 'away', retryAfterS }
  return status === 500 || code === undefined ? { kind: 'fault' } : { kind: 'rejected', code, retryAfterS }
}

function codeIn(body: string): string | undefined {
  try {
    const { code }: { readonly code?: unknown } = JSON.parse(body) ?? {}
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

function pathOf(caseNumber: string): string {
  return `/v1/cases/${encodeURIComponent(caseNumber)}`
}

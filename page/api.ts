// The service's own API, as far as the page uses it. What it may send is written here and nowhere else.

import type { CaseState } from '../src/domain/case.js'
import type { CaseEventKind, PlatformBucket } from '../src/domain/case-event.js'
import type { Category } from '../src/domain/signal.js'
import type { Law, Statement } from '../src/domain/sla.js'
import type { DisputeAnswer } from '../src/domain/trust.js'
import type { FileSignal } from './hashing/outcome.js'
import type { Challenge, Proof } from './proving.js'

export interface Access {
  readonly caseNumber: string
  readonly token: string
}

export interface Opened extends Access {
  readonly pin: string
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
}

export interface FiledPicture {
  readonly imageId: string
  readonly registeredAt: string
  readonly quality: number
  /** false: held until somebody has looked at it, or judged a false report. */
  readonly matching: boolean
  readonly disputed: boolean
  /** What she said to that. */
  readonly answer: DisputeAnswer | null
}

export interface GivenNotice {
  readonly laws: readonly Law[]
  readonly statements: readonly Statement[]
  readonly actingAs: 'self' | 'representative'
  readonly contact?: string
}

export interface KeptNotice {
  readonly laws: readonly Law[]
  readonly givenAt: string
}

/** All that is kept of a case. The receipt is signed: it is saved as it came, and not looked into. */
export interface CaseFile {
  readonly case: CaseView
  readonly events: readonly CaseEvent[]
  readonly images: readonly FiledPicture[]
  readonly receipt: { readonly images: number } | null
}

export type ReportFormat = 'pdf' | 'json'

export interface Added {
  readonly quality?: number
  readonly state: 'registered' | 'refused'
  readonly problem?: { readonly code: string }
}

/**
 * Why there is no answer. offline: the device has no connection. away: the server does not answer, or says that it cannot now.
 * busy: it has been asked too much. fault: its own mistake. refused: no, for the reason `code`.
 */
export type Failure =
  | { readonly kind: 'offline' | 'fault' }
  | { readonly kind: 'away' | 'busy'; readonly retryAfterS: number | undefined }
  | { readonly kind: 'refused'; readonly code: string; readonly retryAfterS: number | undefined }

export type Answer<T> = { readonly value: T } | { readonly failure: Failure }

export const api = {
  openCase: (category: Category | undefined, extendedProtection: boolean, proof?: Proof): Promise<Answer<Opened>> =>
    ask('POST', '/v1/cases', {
      json: { adult: true, extendedProtection, ...(category !== undefined && { category }), ...(proof && { proof }) },
    }),

  challenge: (): Promise<Answer<Challenge>> => ask('GET', '/v1/cases/challenge', {}),

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

  renew: (caseNumber: string, pin: string): Promise<Answer<Pick<CaseView, 'expiresAt' | 'remindAt'>>> =>
    ask('POST', `${pathOf(caseNumber)}/renewals`, { json: { pin } }),

  newPin: ({ caseNumber, token }: Access): Promise<Answer<{ readonly pin: string }>> =>
    ask('POST', `${pathOf(caseNumber)}/pin`, { token }),

  notice: ({ caseNumber, token }: Access): Promise<Answer<{ readonly notice: KeptNotice | null }>> =>
    ask('GET', `${pathOf(caseNumber)}/notice`, { token }),

  giveNotice: ({ caseNumber, token }: Access, notice: GivenNotice): Promise<Answer<KeptNotice>> =>
    ask('PUT', `${pathOf(caseNumber)}/notice`, { token, json: notice }),

  answer: ({ caseNumber, token }: Access, imageId: string, answer: DisputeAnswer): Promise<Answer<unknown>> =>
    ask('PUT', `${pathOf(caseNumber)}/images/${encodeURIComponent(imageId)}/answer`, { token, json: { answer } }),

  withdraw: ({ caseNumber, token }: Access): Promise<Answer<unknown>> => ask('DELETE', pathOf(caseNumber), { token }),

  addHashes: (
    { caseNumber, token }: Access,
    images: readonly { readonly signals: readonly FileSignal[]; readonly details?: string; readonly category?: Category }[],
  ): Promise<Answer<{ readonly images: readonly Added[] }>> =>
    ask('POST', `${pathOf(caseNumber)}/hashes`, { token, json: { images } }),

  /** The one way for a picture to leave the device: called for files whose sending was agreed to. Its name stays here. */
  addFile: ({ caseNumber, token }: Access, file: Blob): Promise<Answer<{ readonly images: readonly Added[] }>> => {
    const form = new FormData()
    form.append('image', new Blob([file], { type: 'application/octet-stream' }), 'image')
    return ask('POST', `${pathOf(caseNumber)}/images`, { token, form })
  },
} as const

/** A slow line needs time for a whole picture. */
const TIMEOUT_MS = 120_000

interface Content {
  readonly token?: string
  readonly json?: unknown
  readonly form?: FormData
  /** How the answer is read. */
  readonly as?: 'json' | 'blob' | 'stream'
  readonly afterId?: string
  readonly signal?: AbortSignal
}

async function ask<T>(method: string, path: string, content: Content): Promise<Answer<T>> {
  const { token, json, form, as = 'json', afterId, signal } = content
  const body = json === undefined ? form : JSON.stringify(json)
  try {
    const response = await fetch(path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(as === 'stream' && { accept: 'text/event-stream' }),
        ...(afterId !== undefined && { 'last-event-id': afterId }),
      },
      ...(body !== undefined && { body }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.ok) return { value: await read(response, as) }
    return { failure: await failureOf(response) }
  } catch {
    return { failure: navigator.onLine ? { kind: 'away', retryAfterS: undefined } : { kind: 'offline' } }
  }
}

function read(response: Response, as: 'json' | 'blob' | 'stream') {
  if (as === 'stream') return response.body
  return as === 'blob' ? response.blob() : response.json()
}

async function failureOf(response: Response): Promise<Failure> {
  const after = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterS = Number.isFinite(after) ? after : undefined
  if (response.status === 500) return { kind: 'fault' }
  if (response.status > 500) return { kind: 'away', retryAfterS }
  const body: { readonly code?: string } = await response.json().catch(() => ({}))
  const code = body.code ?? 'request-invalid'
  return code === 'rate-limited' ? { kind: 'busy', retryAfterS } : { kind: 'refused', code, retryAfterS }
}

function pathOf(caseNumber: string): string {
  return `/v1/cases/${encodeURIComponent(caseNumber)}`
}

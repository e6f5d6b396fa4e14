// The calls to the service's API that the page makes. All of them are in this file.

import type { Category } from '../packages/core/src/matching/signal.js'
import type { AppealState } from '../src/domain/cases/appeal.js'
import type { CaseState } from '../src/domain/cases/case.js'
import type { CaseEventKind, PlatformBucket } from '../src/domain/cases/case-event.js'
import type { ReportFormat } from '../src/domain/cases/report-format.js'
import type { Law, Statement } from '../src/domain/cases/sla.js'
import type { Recognition } from '../src/domain/trust/recognition.js'
import type { DisputeAnswer } from '../src/domain/trust/trust.js'
import type { FileSignal, Hashed, HashedVideoFile } from './hashing/outcome.js'
import type { Challenge, Proof } from './proving.js'
import { type Answer, ask, upload } from './sending/requests.js'

export interface Access {
  readonly caseNumber: string
  /** Replaced when the PIN changes. Holders of this object then use the new token. */
  token: string
}

export interface Opening {
  readonly category: Category | undefined
  readonly extendedProtection: boolean
  /** Of the privacy notice that she was shown. */
  readonly consentVersion: string | undefined
  readonly proof: Proof | undefined
}

export interface Opened extends Access, CaseTimes {
  readonly pin: string
  readonly recoveryCode: string
  readonly platformsAsking?: PlatformBucket
}

/** When a case ends unless it is renewed, and when to renew it. */
export interface CaseTimes {
  readonly expiresAt: string
  readonly remindAt: string
}

export interface GivenPin {
  /** null: too many wrong PINs were tried, so the recovery code alone opens the case. */
  readonly pin: string | null
  readonly recoveryCode: string
  /** From when on they open the case; null: now. */
  readonly effectiveAt: string | null
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
  /** When it ends because somebody without the recovery code wished so. */
  readonly endsAt: string | null
  /** From when on a PIN and a code open it that were asked for without the recovery code. */
  readonly newPinFrom: string | null
  readonly pausedUntil: string | null
  /** Set if an organisation opened it for her. */
  readonly assisted: {
    readonly organisation: string | null
    /** Since when it may still read the case after the handover. */
    readonly readsSince: string | null
  } | null
}

export interface CaseEvent {
  readonly id: string
  readonly kind: CaseEventKind
  readonly at: string
  readonly images?: number
  readonly platforms?: PlatformBucket
  readonly attempts?: number
  /** A verdict that the platform has changed since. */
  readonly changedLater?: true
}

export interface RegisteredPicture {
  readonly imageId: string
  readonly registeredAt: string
  readonly quality: number
  /** Whether the picture itself is recognised now. */
  readonly matching: boolean
  readonly recognition: Recognition
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

/** All that is stored about a case. The signed receipt is saved unchanged and not parsed. */
export interface CaseFile {
  readonly case: CaseView
  readonly events: readonly CaseEvent[]
  readonly images: readonly RegisteredPicture[]
  readonly platformsAsking: PlatformBucket
  readonly receipt: { readonly images: number } | null
}

export interface GivenHashes {
  readonly images: readonly {
    readonly signals: readonly FileSignal[]
    readonly animation?: Hashed['animation']
    readonly details?: string
    readonly category?: Category
  }[]
  readonly videos?: readonly (HashedVideoFile['video'] & { readonly category?: Category })[]
}

export interface Added {
  readonly quality?: number
  /** Of a video or animation that the service hashed: the share of its length in which it can be recognised, 0…1. */
  readonly protectedShare?: number
  /** held: registered, and matches nothing until it has been reviewed. */
  readonly state: 'registered' | 'held' | 'refused'
  readonly problem?: { readonly code: string }
}

/** The service holds a video for ten minutes after its upload at most. */
const HASHING_TIMEOUT_MS = 660_000

export const api = {
  openCase: ({ category, proof, ...chosen }: Opening, key: string): Promise<Answer<Opened>> =>
    ask('POST', 'v1/cases', {
      key,
      json: { adult: true, ...chosen, ...(category !== undefined && { category }), ...(proof && { proof }) },
    }),

  challenge: (): Promise<Answer<Challenge>> => ask('GET', 'v1/cases/challenge', {}),

  /** @param pin or the recovery code in its place. */
  token: (caseNumber: string, pin: string): Promise<Answer<{ readonly token: string }>> =>
    ask('POST', `${pathOf(caseNumber)}/tokens`, { json: { pin } }),

  view: ({ caseNumber, token }: Access): Promise<Answer<CaseView>> => ask('GET', pathOf(caseNumber), { token }),

  file: ({ caseNumber, token }: Access): Promise<Answer<CaseFile>> => ask('GET', `${pathOf(caseNumber)}/export`, { token }),

  /** As text, because the page only saves it. Needs a token by recovery code. */
  hashes: ({ caseNumber, token }: Access): Promise<Answer<Blob>> =>
    ask('GET', `${pathOf(caseNumber)}/hashes`, { token, as: 'blob' }),

  /** Signed. @param language of the pages of a PDF. */
  report: ({ caseNumber, token }: Access, format: ReportFormat, language: string): Promise<Answer<Blob>> =>
    ask('GET', `${pathOf(caseNumber)}/report?format=${format}&lang=${language}`, { token, as: 'blob' }),

  /** The time line as Server-Sent Events, starting after an event, until the connection ends. */
  events: ({ caseNumber, token }: Access, afterId: string, signal: AbortSignal): Promise<Answer<ReadableStream>> =>
    ask('GET', `${pathOf(caseNumber)}/events`, { token, as: 'stream', afterId, signal }),

  renew: ({ caseNumber, token }: Access): Promise<Answer<CaseTimes>> =>
    ask('POST', `${pathOf(caseNumber)}/renewals`, { token }),

  endReading: ({ caseNumber, token }: Access): Promise<Answer<unknown>> =>
    ask('DELETE', `${pathOf(caseNumber)}/reading-right`, { token }),

  newPin: ({ caseNumber, token }: Access, key: string): Promise<Answer<GivenPin>> =>
    ask('POST', `${pathOf(caseNumber)}/pin`, { token, key }),

  notice: ({ caseNumber, token }: Access): Promise<Answer<{ readonly notice: StoredNotice | null }>> =>
    ask('GET', `${pathOf(caseNumber)}/notice`, { token }),

  submitNotice: ({ caseNumber, token }: Access, notice: NoticeRequest): Promise<Answer<StoredNotice>> =>
    ask('PUT', `${pathOf(caseNumber)}/notice`, { token, json: notice }),

  which: (
    { caseNumber, token }: Access,
    hashes: readonly string[],
  ): Promise<Answer<{ readonly imageIds: readonly string[] }>> =>
    ask('POST', `${pathOf(caseNumber)}/which`, { token, json: { hashes } }),

  answer: ({ caseNumber, token }: Access, imageId: string, answer: DisputeAnswer): Promise<Answer<unknown>> =>
    ask('PUT', `${pathOf(caseNumber)}/images/${encodeURIComponent(imageId)}/answer`, { token, json: { answer } }),

  appeal: ({ caseNumber, token }: Access, imageId: string): Promise<Answer<{ readonly state: AppealState }>> =>
    ask('POST', `${pathOf(caseNumber)}/images/${encodeURIComponent(imageId)}/appeal`, { token }),

  /** For a picture that was refused as harmless. */
  appealAgainstRefusal: (
    { caseNumber, token }: Access,
    signals: readonly FileSignal[],
  ): Promise<Answer<{ readonly state: AppealState }>> =>
    ask('POST', `${pathOf(caseNumber)}/appeals`, {
      token,
      json: { signals: signals.filter(({ type }) => type !== 'sha256') },
    }),

  /** `effectiveAt`: when it ends, for a token by PIN. */
  withdraw: ({ caseNumber, token }: Access): Promise<Answer<{ readonly effectiveAt?: string }>> =>
    ask('DELETE', pathOf(caseNumber), { token }),

  /** Needs a token by recovery code. */
  stopWishes: ({ caseNumber, token }: Access): Promise<Answer<unknown>> =>
    ask('DELETE', `${pathOf(caseNumber)}/wishes`, { token }),

  pause: ({ caseNumber, token }: Access): Promise<Answer<unknown>> => ask('PUT', `${pathOf(caseNumber)}/pause`, { token }),

  resume: ({ caseNumber, token }: Access): Promise<Answer<unknown>> =>
    ask('DELETE', `${pathOf(caseNumber)}/pause`, { token }),

  addHashes: (
    { caseNumber, token }: Access,
    hashes: GivenHashes,
    key: string,
  ): Promise<Answer<{ readonly images: readonly Added[]; readonly videos?: readonly Added[] }>> =>
    ask('POST', `${pathOf(caseNumber)}/hashes`, { token, key, json: hashes }),

  /** The only function that sends a picture: called for files that the submitter agreed to send. The file name is not sent. */
  addFile: (
    { caseNumber, token }: Access,
    file: Blob,
    key: string,
  ): Promise<Answer<{ readonly images: readonly Added[]; readonly videos?: undefined }>> =>
    upload(`${pathOf(caseNumber)}/images`, { token, key }, { field: 'image', file }),

  /** The same for a video. The answer comes when it is hashed. */
  async addVideo(
    { caseNumber, token }: Access,
    file: Blob,
    key: string,
  ): Promise<Answer<{ readonly images: readonly Added[]; readonly videos: readonly Added[] }>> {
    const path = `${pathOf(caseNumber)}/videos`
    const answer = await upload<{ readonly video: Added }>(
      path,
      { token, key },
      { field: 'video', file },
      HASHING_TIMEOUT_MS,
    )
    return 'value' in answer ? { value: { images: [], videos: [answer.value.video] } } : answer
  },
} as const

function pathOf(caseNumber: string): string {
  return `v1/cases/${encodeURIComponent(caseNumber)}`
}

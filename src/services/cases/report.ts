// The report of a case for police or a regulator: numbers and times, signed. No picture, no hash, no name.

import { z } from 'zod'
import { imageReference } from '../../../packages/core/src/ids.js'
import { CATEGORY_NAMES, TIER_NAMES } from '../../../packages/core/src/matching/signal.js'
import { CASE_STATES } from '../../domain/cases/case.js'
import {
  CASE_EVENT_KINDS,
  changedLater,
  PLATFORM_BUCKETS,
  type PublicCount,
  publicCount,
} from '../../domain/cases/case-event.js'
import { RECOGNITIONS } from '../../domain/trust/recognition.js'
import { DurationS, durationView } from '../records/duration.js'
import type { Signer } from '../records/signer.js'
import type { CaseFile } from './case-file.js'
import { Receipt } from './receipts.js'

const Instant = z.iso.datetime()

const Event = z.strictObject({
  at: Instant,
  kind: z.enum(CASE_EVENT_KINDS),
  images: z.int().nullable(),
  platforms: z.enum(PLATFORM_BUCKETS).nullable(),
  attempts: z.int().nullable(),
})

export const Report = z.strictObject({
  type: z.literal('tabir-report'),
  version: z.literal(1),
  madeAt: Instant,
  caseNumber: z.string(),
  state: z.enum(CASE_STATES),
  openedAt: Instant,
  expiresAt: Instant,
  endedAt: Instant.nullable(),
  consentOn: z.iso.date().nullable(),
  complaintNoted: z.boolean(),
  hashes: z.int(),
  images: z.array(
    z.strictObject({
      reference: z.string(),
      registeredAt: Instant,
      category: z.enum(CATEGORY_NAMES).nullable(),
      tier: z.enum(TIER_NAMES),
      recognition: z.enum(RECOGNITIONS),
      durationS: DurationS,
    }),
  ),
  events: z.array(z.union([Event, Event.extend({ changedLater: z.literal(true) })])),
  receipt: Receipt.nullable(),
  keyId: z.string(),
  signature: z.string(),
})
export type Report = z.infer<typeof Report>

export interface ReportParts {
  readonly file: CaseFile
  readonly hashes: number
  readonly receipt: Receipt | undefined
  readonly signer: Signer
  readonly nowMs: number
}

export function reportOf({ file, hashes, receipt, signer, nowMs }: ReportParts): Report {
  const { view, images, events } = file
  const changed = changedLater(events)
  return signer.sign({
    type: 'tabir-report' as const,
    version: 1 as const,
    madeAt: instant(nowMs),
    caseNumber: view.caseNumber,
    state: view.state,
    openedAt: instant(view.createdAtMs),
    expiresAt: instant(view.expiresAtMs),
    endedAt: view.end === undefined ? null : instant(view.end.atMs),
    consentOn: view.assistance?.consentOn ?? null,
    complaintNoted: view.hasComplaint,
    hashes,
    images: images.map(({ imageId, registeredAtMs, category, tier, recognition, durationS }) => ({
      reference: imageReference(imageId),
      registeredAt: instant(registeredAtMs),
      category: category ?? null,
      tier,
      recognition,
      ...durationView(durationS),
    })),
    events: events.map(({ id, atMs, kind, count }) => ({
      ...{ at: instant(atMs), kind, ...NO_COUNT, ...publicCount(kind, count) },
      ...(changed.has(id) && { changedLater: true as const }),
    })),
    receipt: receipt ?? null,
  })
}

const NO_COUNT: Readonly<Record<keyof PublicCount, null>> = { images: null, platforms: null, attempts: null }

function instant(ms: number): string {
  return new Date(ms).toISOString()
}

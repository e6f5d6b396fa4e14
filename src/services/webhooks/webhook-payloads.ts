// Schemas of webhook messages, for the API's description and for tests. webhook-plan.ts writes the messages.

import { z } from 'zod'
import { GRADES } from '../../../packages/core/src/matching/grade.js'
import { CASE_EVENT_KINDS, PLATFORM_BUCKETS } from '../../domain/cases/case-event.js'
import { LAWS, STAGES } from '../../domain/cases/sla.js'
import { EVENTS_MISSED, WEBHOOK_EVENTS, type WebhookEvent } from '../../domain/organisations/webhook.js'
import { DurationS } from '../records/duration.js'

const MatchId = z.string().meta({ description: 'The organisation’s own id of the image, as in its matches.' })
const SignalId = z.uuid().meta({ description: 'The id returned when the signal was submitted.' })
const CaseId = z.string().meta({ description: 'The id that POST /v1/assisted-cases returned.' })
const DEADLINE = {
  law: z.enum(LAWS),
  stage: z.enum(STAGES),
  dueAt: z.iso.datetime().meta({ description: 'When the deadline passed.' }),
}

/** The `data` of each event: ids and fixed words, never hashes. */
const DATA = {
  'case.updated': z.strictObject({
    caseId: CaseId,
    event: z.enum(CASE_EVENT_KINDS),
    images: z.int().optional().meta({ description: 'Number of images, for events that count images.' }),
    platforms: z
      .enum(PLATFORM_BUCKETS)
      .optional()
      .meta({ description: 'Number of platforms, for events that count platforms.' }),
    attempts: z.int().optional().meta({ description: 'Number of wrong PINs or recovery codes on that day.' }),
  }),
  'case.expires-soon': z.strictObject({
    caseId: CaseId,
    expiresAt: z.iso.datetime().meta({ description: 'When the case ends. Its pictures are not recognised after that.' }),
  }),
  'match.found': z.strictObject({ watchId: z.uuid(), matchId: MatchId, grade: z.enum(GRADES), durationS: DurationS }),
  'signal.withdrawn': z.strictObject({ matchId: MatchId }),
  'signal.disputed': z.strictObject({
    matchId: MatchId.optional().meta({ description: 'For organisations that got it in a match.' }),
    signalId: SignalId.optional().meta({ description: 'For the organisation that submitted it.' }),
    durationS: DurationS,
  }),
  'sla.due': z.strictObject({
    matchId: MatchId.optional().meta({ description: 'For the platform that missed the deadline.' }),
    signalId: SignalId.optional().meta({ description: 'For the organisation that the notice names as its contact.' }),
    durationS: DurationS,
    ...DEADLINE,
  }),
  'key.suspended': z.strictObject({ keyId: z.string() }),
  'webhook.ping': z.strictObject({ webhookId: z.uuid() }),
  [EVENTS_MISSED]: z.strictObject({
    webhookId: z.uuid(),
    since: z.iso.datetime().meta({ description: 'When the first of them was due.' }),
  }),
} as const satisfies Readonly<Record<WebhookEvent | 'webhook.ping' | typeof EVENTS_MISSED, z.ZodType>>

const ABOUT: Readonly<Record<keyof typeof DATA, string>> = {
  ...WEBHOOK_EVENTS,
  'webhook.ping': 'A test message, sent on request: POST /v1/webhooks/{webhookId}/ping.',
  [EVENTS_MISSED]:
    'More events were due than can wait, or withdrawals were given up, because the endpoint was down: they are not sent one by one. Ask for the state: signals that no longer exist are not in a snapshot of GET /v1/feed, and unknown to GET /v1/matches/{matchId}. Sent to every webhook, whatever its events.',
}

export const WEBHOOK_PAYLOADS = Object.entries(DATA).map(([type, data]) => ({
  type,
  about: ABOUT[type as keyof typeof DATA],
  body: z.strictObject({
    type: z.literal(type),
    timestamp: z.iso.datetime().meta({
      description:
        'Time of the event. For signal.withdrawn the time of sending, because the time of the withdrawal could link signals of one case.',
    }),
    data,
  }),
}))

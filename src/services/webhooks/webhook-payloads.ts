// Schemas of webhook messages, for the API's description and for tests. webhook-plan.ts writes the messages.

import { z } from 'zod'
import { CASE_EVENT_KINDS, PLATFORM_BUCKETS } from '../../domain/cases/case-event.js'
import { LAWS, STAGES } from '../../domain/cases/sla.js'
import { GRADES } from '../../domain/matching/grade.js'
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../domain/organisations/webhook.js'

const MatchId = z.string().meta({ description: 'As in the answer to the query: the organisation’s own.' })
const SignalId = z.uuid().meta({ description: 'The id returned when the signal was submitted.' })
const DurationS = z.int().optional().meta({ description: 'Only of a video.' })
const OF_CLOCK = {
  law: z.enum(LAWS),
  stage: z.enum(STAGES),
  dueAt: z.iso.datetime().meta({ description: 'When the clock ran out.' }),
}

/** The `data` of each event: ids and fixed words, never hashes. */
const DATA = {
  'case.updated': z.strictObject({
    caseId: z.string().meta({ description: 'As the answer to POST /v1/assisted-cases has it.' }),
    event: z.enum(CASE_EVENT_KINDS),
    images: z.int().optional().meta({ description: 'How many, of what happens to images.' }),
    platforms: z.enum(PLATFORM_BUCKETS).optional().meta({ description: 'How many, of what platforms do.' }),
    attempts: z.int().optional().meta({ description: 'How many wrong PINs or recovery codes in a day.' }),
  }),
  'match.found': z.strictObject({ watchId: z.uuid(), matchId: MatchId, grade: z.enum(GRADES), durationS: DurationS }),
  'signal.withdrawn': z.strictObject({ matchId: MatchId }),
  'signal.disputed': z.strictObject({
    matchId: MatchId.optional().meta({ description: 'For who was told of it in a match.' }),
    signalId: SignalId.optional().meta({ description: 'For who handed it in.' }),
    durationS: DurationS,
  }),
  'sla.due': z.strictObject({
    matchId: MatchId.optional().meta({ description: 'For the platform that the clock ran for.' }),
    signalId: SignalId.optional().meta({ description: 'For the organisation that the notice names as its contact.' }),
    durationS: DurationS,
    ...OF_CLOCK,
  }),
  'key.suspended': z.strictObject({ keyId: z.string() }),
  'webhook.ping': z.strictObject({ webhookId: z.uuid() }),
} as const satisfies Readonly<Record<WebhookEvent | 'webhook.ping', z.ZodType>>

const ABOUT: Readonly<Record<keyof typeof DATA, string>> = {
  ...WEBHOOK_EVENTS,
  'webhook.ping': 'Somebody asked for it, to see whether messages arrive: POST /v1/webhooks/{webhookId}/ping.',
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

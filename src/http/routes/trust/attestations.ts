// Signals that wait for an NGO's attestation.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TIER_NAMES } from '../../../../packages/core/src/matching/signal.js'
import { DurationS, durationView } from '../../../services/records/duration.js'
import { ATTESTATION_REASONS, type Attesting, type AttestingCursor } from '../../../services/trust/attesting.js'
import { callerOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CategoryName, Instant, instant } from '../../schemas.js'

/** Cursor of a page as text: four parts separated by dots. */
const CURSOR_PATTERN = /^(\d{1,15})\.([0-9a-f]{32})\.(\d{1,15})\.([0-9a-f-]{36})$/
const Cursor = z.string().regex(CURSOR_PATTERN, 'must be the `next` of an answer').transform(parseAttestingCursor)

const WaitingView = z
  .object({
    signalId: z.uuid(),
    matchId: z.string().meta({ description: 'Attest it with POST /v1/matches/{matchId}/attestation.' }),
    caseId: z.string().meta({ description: 'The caseId that the service returned when the case was opened.' }),
    because: z
      .enum(ATTESTATION_REASONS)
      .meta({ description: 'opened: you opened the case. contact: its notice names you as contact.' }),
    category: CategoryName.nullable(),
    tier: z.enum(TIER_NAMES),
    disputed: z.boolean(),
    durationS: DurationS,
    registeredAt: Instant,
  })
  .meta({ id: 'WaitingSignal' })

export const attestationRoutes: FastifyPluginAsyncZod<{ readonly attesting: Attesting }> = async (app, { attesting }) => {
  app.get(
    '/attestations/waiting',
    {
      config: { scope: 'cases:write' },
      schema: {
        operationId: 'listWaitingAttestations',
        summary: 'List pictures that you can attest',
        description:
          'Pictures that you have not attested, of cases that you opened on behalf of a person and of cases whose notice names you as contact. Grouped by case, in the order in which the cases reached you.',
        tags: ['signals'],
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100), after: Cursor.optional() }),
        response: {
          200: z.object({
            signals: z.array(WaitingView),
            next: z
              .string()
              .nullable()
              .meta({ description: 'Send it as `after` for the next page. A page may be empty and have a next one.' }),
          }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'organisation-kind-forbidden', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const { after, limit } = request.query
      const { signals, next } = await attesting.waiting(callerOf(request), after, limit)
      return {
        signals: signals.map(({ registeredAtMs, category, durationS, ...rest }) => ({
          ...rest,
          category: category ?? null,
          ...durationView(durationS),
          registeredAt: instant(registeredAtMs),
        })),
        next: next === undefined ? null : textOf(next),
      }
    },
  )
}

function textOf({ sinceMs, caseId, registeredAtMs, signalId }: AttestingCursor): string {
  return `${sinceMs}.${caseId}.${registeredAtMs}.${signalId}`
}

function parseAttestingCursor(text: string): AttestingCursor {
  const [, sinceMs, caseId = '', registeredAtMs, signalId = ''] = CURSOR_PATTERN.exec(text) ?? []
  return { sinceMs: Number(sinceMs), caseId, registeredAtMs: Number(registeredAtMs), signalId }
}

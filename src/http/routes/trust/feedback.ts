// A platform's decision about a match, and the trust of a matched signal.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { LAWS, STAGES } from '../../../domain/cases/sla.js'
import { DISPUTE_REASONS } from '../../../domain/trust/trust.js'
import { VERDICTS } from '../../../domain/trust/verdict.js'
import type { MatchTrust } from '../../../services/trust/signal-trust.js'
import type { Feedback, TrustService } from '../../../services/trust/trust.js'
import { callerOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { Instant, instant } from '../../schemas.js'
import { presentTrust, SignalTrustView } from '../../schemas-trust.js'

const MatchParam = z.object({ matchId: z.string().max(64) })

const Said = z
  .discriminatedUnion('verdict', [
    z.strictObject({ verdict: z.enum(VERDICTS).exclude(['disputed']) }),
    z.strictObject({ verdict: z.literal('disputed'), reason: z.enum(DISPUTE_REASONS) }),
  ])
  .meta({
    description:
      'blocked, not-blocked: what a person decided about the copy. auto-blocked: a program stopped it, and nobody looked; it never counts for the tier, and does not replace an earlier verdict. pending-review: a review will follow. disputed: the signal should not be registered.',
  })

const MatchTrustView = SignalTrustView.extend({
  matchId: z.string(),
  verdict: z.enum(VERDICTS).nullable().meta({ description: 'Your own verdict.' }),
  deadlines: z
    .array(z.object({ law: z.enum(LAWS), stage: z.enum(STAGES), dueAt: Instant }))
    .meta({ description: 'Your deadlines from a notice of the person in the picture, soonest first.' }),
}).meta({ id: 'MatchTrust' })

export interface FeedbackRouteOptions {
  readonly trust: Pick<TrustService, 'match' | 'feedback' | 'attest'>
}

export const feedbackRoutes: FastifyPluginAsyncZod<FeedbackRouteOptions> = async (app, { trust }) => {
  app.get(
    '/matches/:matchId',
    {
      config: { scope: 'feedback' },
      schema: {
        operationId: 'getMatch',
        summary: 'Get the trust signals of a match',
        description: 'Attestations and verdicts about the signal as numbers of organisations, and your own verdict.',
        tags: ['match'],
        params: MatchParam,
        response: {
          200: MatchTrustView,
          ...may('request-invalid', 'key-missing', 'scope-missing', 'match-unknown', 'store-unavailable'),
        },
      },
    },
    async (request) => present(await trust.match(callerOf(request), request.params.matchId)),
  )

  app.post(
    '/matches/:matchId/feedback',
    {
      config: { scope: 'feedback' },
      schema: {
        operationId: 'giveFeedback',
        summary: 'Report a verdict about a match',
        description:
          'One verdict for each organisation and registered picture; a new one replaces it, and a repeated one changes nothing. It counts for the tier of the signal, and as a number in the case of the person in the picture. After the answer every match shows a dispute.',
        tags: ['match'],
        params: MatchParam,
        body: Said,
        response: {
          200: MatchTrustView,
          ...may(
            'request-invalid',
            'media-unsupported',
            'key-missing',
            'scope-missing',
            'match-unknown',
            'feedback-conflict',
            'dispute-settled',
            'signal-invalidated',
            'store-unavailable',
          ),
        },
      },
    },
    async (request) => present(await trust.feedback(callerOf(request), request.params.matchId, feedbackOf(request.body))),
  )

  app.post(
    '/matches/:matchId/attestation',
    {
      config: { scope: 'feedback' },
      schema: {
        operationId: 'attestMatch',
        summary: 'Attest a signal as an NGO',
        tags: ['match'],
        params: MatchParam,
        response: {
          200: MatchTrustView,
          ...may(
            'request-invalid',
            'key-missing',
            'organisation-kind-forbidden',
            'match-unknown',
            'signal-invalidated',
            'store-unavailable',
          ),
        },
      },
    },
    async (request) => present(await trust.attest(callerOf(request), request.params.matchId)),
  )
}

function feedbackOf(said: z.infer<typeof Said>): Feedback {
  return said.verdict === 'disputed' ? { verdict: said.verdict, reason: said.reason } : { verdict: said.verdict }
}

function present({ matchId, verdict, deadlines, ...trust }: MatchTrust): z.infer<typeof MatchTrustView> {
  return {
    matchId,
    verdict: verdict ?? null,
    deadlines: deadlines.map(({ law, stage, dueAtMs }) => ({ law, stage, dueAt: instant(dueAtMs) })),
    ...presentTrust(trust),
  }
}

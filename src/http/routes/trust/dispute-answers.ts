// The submitter's answer to a dispute about a picture.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DISPUTE_ANSWERS } from '../../../domain/trust/trust.js'
import { actorOf } from '../../../services/cases/case-changes.js'
import type { TrustService } from '../../../services/trust/trust.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam } from '../../schemas.js'

const Answer = z.enum(DISPUTE_ANSWERS)

export const disputeAnswerRoutes: FastifyPluginAsyncZod<{ readonly trust: Pick<TrustService, 'answer'> }> = async (
  app,
  { trust },
) => {
  app.put(
    '/cases/:caseNumber/images/:imageId/answer',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'answerDispute',
        summary: 'Answer a dispute about a picture',
        description:
          'While the dispute is open; a new answer replaces the previous one. The operator sees it when deciding; nothing happens automatically. shows-me-without-consent: the picture shows the person whose case it is, and she did not agree to its sharing. added-by-mistake: it should not have been added.',
        tags: ['cases'],
        params: CaseNumberParam.extend({ imageId: z.uuid().transform((id) => id.toLowerCase()) }),
        body: z.strictObject({ answer: Answer }),
        response: {
          200: z.object({ answer: Answer }),
          ...may(
            'request-invalid',
            'token-missing',
            'case-unknown',
            'case-withdrawn',
            'case-expired',
            'signal-unknown',
            'dispute-not-open',
            'signal-invalidated',
            'store-unavailable',
          ),
        },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      const { answer } = request.body
      await trust.answer(own, request.params.imageId, answer, actorOf(own))
      return { answer }
    },
  )
}

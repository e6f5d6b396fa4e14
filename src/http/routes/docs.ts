// The API description, and the meaning of each problem.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { PROBLEM_CODES, Problem } from '../../domain/problem.js'
import { may, ProblemBody, problemBody } from '../problems.js'

export const docRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get('/openapi.yaml', { config: { scope: 'public' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(app.swagger({ yaml: true })),
  )

  app.get(
    '/problems/:code',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'explainProblem',
        summary: 'Explain a problem',
        tags: ['operation'],
        params: z.object({ code: z.enum(PROBLEM_CODES) }),
        response: { 200: ProblemBody, ...may('request-invalid') },
      },
    },
    async ({ params }) => problemBody(new Problem(params.code)),
  )
}

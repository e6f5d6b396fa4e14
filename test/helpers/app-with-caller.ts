// An app with some routes or limits, without services: a caller with the scope `match`, and the usual answers to problems.

import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Caller } from '../../src/domain/organisations/access.js'
import { problemAnswers } from '../../src/http/plugins/problem-answers.js'
import { MULTIPART_OPTIONS } from '../../src/http/upload.js'
import type { Ending } from './service.js'

const CALLER: Caller = { keyId: 'key', orgId: 'org', scopes: new Set(['match']) }

export async function appWithCaller(t: Ending): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const authentication = async (routes: FastifyInstance) => {
    routes.decorateRequest('caller', null)
    routes.decorateRequest('reauthorize', async () => {})
    routes.addHook('onRequest', async (request) => {
      request.caller = CALLER
    })
  }
  await app.register(multipart, MULTIPART_OPTIONS)
  await app.register(problemAnswers, { country: undefined })
  await app.register(fp(authentication, { name: 'authentication' }))
  return app
}

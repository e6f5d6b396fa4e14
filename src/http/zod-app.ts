import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'

/** A Fastify instance whose routes get their types from zod schemas. */
export type ZodApp = Parameters<FastifyPluginAsyncZod>[0]

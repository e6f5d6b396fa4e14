// For operators: how much is registered, and of what kind.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { EVIDENCE, falseRateAnUpload, largestBits, type RatedGrade } from '../../domain/matching/registry-size.js'
import { TIER_NAMES } from '../../domain/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../domain/matching/signal-types.js'
import type { RegistryCounts } from '../../services/ops/registry-counts.js'
import { may } from '../problems.js'
import { CategoryName, Instant, instant, SignalTypeName } from '../schemas.js'

const Rated = z.object({
  inAMillion: z.int().meta({
    description:
      'Of a million uploads that are unrelated to everything registered, how many may be answered so, at most: by measured pairs, with a confidence of 95 %. Pages of one app, forms of one kind and the like are beside this.',
  }),
  largestBits: z.partialRecord(z.enum(EVIDENCE), z.int().nullable()).meta({
    description:
      'How near a match would have to be for 1 in 1,000,000 (strong) or 1 in 10,000 (near) among so many: by a model of the measured tail, not applied to answers. null: no distance is near enough.',
  }),
})

const RegistryView = z
  .object({
    countedAt: Instant.meta({ description: 'Some seconds ago at most.' }),
    images: z.int().meta({ description: 'That match.' }),
    silent: z.int().meta({ description: 'Kept, and matching nothing: in quarantine, or judged a false report.' }),
    signals: z.partialRecord(SignalTypeName, z.int()).meta({ description: 'Hashes, by type.' }),
    groups: z.array(
      z.object({
        bank: z.string(),
        tier: z.enum(TIER_NAMES),
        category: CategoryName.nullable(),
        disputed: z.boolean(),
        images: z.int(),
      }),
    ),
    falseMatches: z.object({ strong: Rated, near: Rated }),
  })
  .meta({ id: 'Registry' })

export const registryRoutes: FastifyPluginAsyncZod<{ readonly registry: () => Promise<RegistryCounts> }> = async (
  app,
  { registry },
) => {
  app.get(
    '/insights/registry',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'getRegistry',
        summary: 'See how much is registered, and of what kind',
        description: 'Numbers over all cases and banks, counted by the process that answers.',
        tags: ['signals'],
        response: { 200: RegistryView, ...may('key-missing', 'scope-missing', 'index-loading') },
      },
    },
    async () => {
      const { countedAtMs, groups, signals, ...rest } = await registry()
      return {
        ...rest,
        countedAt: instant(countedAtMs),
        signals: Object.fromEntries(SIGNAL_TYPE_NAMES.map((type) => [type, signals[type]])),
        groups: groups.map(({ category, ...group }) => ({ ...group, category: category ?? null })),
        falseMatches: { strong: rated('strong', rest.images), near: rated('near', rest.images) },
      }
    },
  )
}

function rated(grade: RatedGrade, images: number): z.infer<typeof Rated> {
  const bits = EVIDENCE.map((evidence) => [evidence, largestBits(grade, evidence, images) ?? null])
  return { inAMillion: Math.ceil(1e6 * falseRateAnUpload(grade, images)), largestBits: Object.fromEntries(bits) }
}

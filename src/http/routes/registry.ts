// For operators: how much is registered, by kind.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  comparedImages,
  EVIDENCE,
  falseRateAnUpload,
  largestBits,
  type RatedGrade,
} from '../../../packages/core/src/matching/registry-size.js'
import { TIER_NAMES } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../../packages/core/src/matching/signal-types.js'
import type { RegistryCounts } from '../../services/ops/registry-counts.js'
import { may } from '../problems.js'
import { CategoryName, Instant, instant, SignalTypeName } from '../schemas.js'

const Rated = z.object({
  perMillion: z.int().meta({
    description:
      'Upper bound of false matches of this grade among a million unrelated uploads, from measured pairs, with 95 % confidence. Screens of one app, forms of one kind and similar pictures are not counted.',
  }),
  largestBits: z.partialRecord(z.enum(EVIDENCE), z.int().nullable()).meta({
    description:
      'The distance at which 1 in 1,000,000 (strong) or 1 in 10,000 (near) unrelated uploads would match an index of this size, by a model of the measured tail. Applied to answers with `grading=per-upload`, to all but unattested images of cases of the last day, which count only for each other. null: no distance is small enough.',
  }),
})

const RegistryView = z
  .object({
    countedAt: Instant.meta({ description: 'At most some seconds ago.' }),
    images: z.int().meta({ description: 'Images that match.' }),
    silent: z.int().meta({ description: 'Stored images that match nothing: in quarantine, or judged a false report.' }),
    signals: z.partialRecord(SignalTypeName, z.int()).meta({ description: 'Number of hashes by type.' }),
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
        summary: 'Count what is registered',
        description: 'Numbers for all cases and banks, from the index of the answering process.',
        tags: ['signals'],
        response: { 200: RegistryView, ...may('key-missing', 'scope-missing', 'index-loading') },
      },
    },
    async () => {
      const { countedAtMs, groups, signals, recent, ...rest } = await registry()
      const compared = comparedImages(rest.images, signals.pdq)
      const settled = comparedImages(rest.images - recent.images, signals.pdq - recent.pdqRows)
      return {
        ...rest,
        countedAt: instant(countedAtMs),
        signals: Object.fromEntries(SIGNAL_TYPE_NAMES.map((type) => [type, signals[type]])),
        groups: groups.map(({ category, ...group }) => ({ ...group, category: category ?? null })),
        falseMatches: { strong: rated('strong', compared, settled), near: rated('near', compared, settled) },
      }
    },
  )
}

function rated(grade: RatedGrade, images: number, settled: number): z.infer<typeof Rated> {
  const bits = EVIDENCE.map((evidence) => [evidence, largestBits(grade, evidence, settled) ?? null])
  return { perMillion: Math.ceil(1e6 * falseRateAnUpload(grade, images)), largestBits: Object.fromEntries(bits) }
}

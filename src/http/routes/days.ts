// Daily statistics: queries, matches, decisions.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DISTANCE_BANDS, GRADES } from '../../../packages/core/src/matching/grade.js'
import { COUNTED_DAYS, type DailyCount } from '../../domain/trust/daily-counts.js'
import { VERDICTS } from '../../domain/trust/verdict.js'
import type { DailyCounts, DailyStatistics } from '../../services/trust/daily-counts.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'

const Query = z.object({
  days: z.coerce
    .number()
    .int()
    .min(1)
    .max(COUNTED_DAYS)
    .default(30)
    .meta({ description: 'Number of days, including today.' }),
})
const DayView = z
  .object({
    day: z.iso.date().meta({ description: 'In UTC.' }),
    pictures: z.int().meta({ description: 'Pictures in queries.' }),
    videos: z.int().meta({ description: 'Videos in queries.' }),
    found: z.int().meta({ description: 'Pictures and videos with a match better than `review`.' }),
    grades: z.partialRecord(z.enum(GRADES), z.int()).meta({ description: 'Matches of each grade.' }),
    distances: z.partialRecord(z.enum(DISTANCE_BANDS), z.int()).meta({ description: 'Matches in each band of distance.' }),
    verdicts: z.partialRecord(z.enum(VERDICTS), z.int()).meta({ description: 'Verdicts reported or changed.' }),
  })
  .meta({ id: 'DailyStatistics' })

export const dayRoutes: FastifyPluginAsyncZod<{ readonly dailyCounts: Pick<DailyCounts, 'days'> }> = async (
  app,
  { dailyCounts },
) => {
  for (const [path, scope, operationId, summary] of [
    ['/insights/days', 'admin', 'listDays', 'Daily numbers of queries, matches and verdicts of all organisations'],
    ['/insights/days/own', 'match', 'listOwnDays', 'Daily numbers of your own queries, matches and verdicts'],
  ] as const) {
    app.get(
      path,
      {
        config: scope === 'match' ? { scope, queries: 'none' } : { scope },
        schema: {
          operationId,
          summary,
          description: `The oldest day first, today last; ${COUNTED_DAYS} days are kept. Counted some seconds late, and nearly: what a crash cuts off is not made up for.`,
          tags: ['match'],
          querystring: Query,
          response: {
            200: z.object({ days: z.array(DayView) }),
            ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
          },
        },
      },
      async (request) => {
        const orgId = scope === 'admin' ? undefined : callerOf(request).orgId
        return { days: (await dailyCounts.days(orgId, request.query.days)).map(present) }
      },
    )
  }
}

function present({ day, counts }: DailyStatistics): z.infer<typeof DayView> {
  const of = (dailyCount: DailyCount) => counts.get(dailyCount) ?? 0
  return {
    day,
    pictures: of('pictures'),
    videos: of('videos'),
    found: of('found'),
    grades: countsOf(GRADES, (grade) => of(`grade:${grade}`)),
    distances: countsOf(DISTANCE_BANDS, (band) => of(`distance:${band}`)),
    verdicts: countsOf(VERDICTS, (verdict) => of(`verdict:${verdict}`)),
  }
}

function countsOf<Name extends string>(
  names: readonly Name[],
  count: (name: Name) => number,
): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {}
  for (const name of names) counts[name] = count(name)
  return counts
}

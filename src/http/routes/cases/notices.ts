// Notices of a case, and the deadlines that they start.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { LAWS, SLA_PROFILES, SOURCES_READ_ON, STAGES, STATEMENTS } from '../../../domain/cases/sla.js'
import type { Notices, OverdueDeadline } from '../../../services/cases/notices.js'
import { DurationS, durationView } from '../../../services/records/duration.js'
import { Next, nextOf, PageQuery } from '../../pages.js'
import { callerOf, ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, Instant, instant } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'

export const LawName = z.enum(LAWS)

const NoticeBody = z.strictObject({
  laws: z.array(LawName).min(1).max(LAWS.length),
  statements: z.array(z.enum(STATEMENTS)).max(STATEMENTS.length).meta({
    description:
      'goodFaith: the notice is given in good faith. withoutConsent: the pictures were shared without consent. accurate: the notice is accurate and complete. authorised: given by the person in the pictures, or on her behalf.',
  }),
  actingAs: z.enum(['self', 'representative']),
  contact: z.string().min(1).max(255).optional().meta({
    description: 'Name of the NGO, as registered here, through which she can be reached. Some laws require one.',
  }),
})
export const NoticeView = z
  .object({
    laws: z.array(LawName),
    statements: z.array(z.enum(STATEMENTS)),
    actingAs: z.enum(['self', 'representative']),
    hasContact: z.boolean(),
    givenAt: Instant,
  })
  .meta({ id: 'Notice' })

const LawView = z.object({
  law: LawName,
  title: z.string(),
  statements: z.array(z.enum(STATEMENTS)),
  needsContact: z.boolean(),
  fixedByLaw: z.boolean().meta({ description: 'false: the law gives no number of hours; the times are a guideline.' }),
  stages: z.array(z.object({ stage: z.enum(STAGES), withinHours: z.number() })),
  sources: z
    .array(z.object({ title: z.string(), url: z.url() }))
    .meta({ description: `Sources, last checked on ${SOURCES_READ_ON}.` }),
})

const OverdueList = z.object({
  deadlines: z.array(
    z.object({
      signalId: z.uuid(),
      platform: z.string(),
      law: LawName,
      stage: z.enum(STAGES),
      dueAt: Instant,
      durationS: DurationS,
    }),
  ),
  next: Next,
})

export interface NoticeRouteOptions {
  readonly notices: Notices
}

export const noticeRoutes: FastifyPluginAsyncZod<NoticeRouteOptions> = async (app, options) => {
  listLawsRoute(app)
  giveNoticeRoute(app, options)
  getNoticeRoute(app, options)
  overdueRoute(app, options, {
    path: '/deadlines/overdue',
    scope: 'admin',
    operationId: 'listOverdue',
    summary: 'List overdue deadlines',
  })
  overdueRoute(app, options, {
    path: '/deadlines/overdue/own',
    scope: 'cases:write',
    operationId: 'listOwnOverdue',
    summary: 'List overdue deadlines of cases that name you as their contact',
  })
}

function listLawsRoute(app: ZodApp): void {
  app.get(
    '/notices/laws',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'listLaws',
        summary: 'List the laws and what each requires of a notice',
        tags: ['cases'],
        response: { 200: z.object({ laws: z.array(LawView) }), ...may() },
      },
    },
    async () => ({ laws: LAWS.map(lawView) }),
  )
}

function giveNoticeRoute(app: ZodApp, { notices }: NoticeRouteOptions): void {
  app.put(
    '/cases/:caseNumber/notice',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'giveNotice',
        summary: 'Give notice under one or more laws',
        description:
          'From now on a match with one of the pictures starts a deadline for the platform that got it; the deadline ends when the platform reports its decision. Replaces an earlier notice; deadlines that already run continue.',
        tags: ['cases'],
        params: CaseNumberParam,
        body: NoticeBody,
        response: {
          200: NoticeView,
          ...may(
            'request-invalid',
            'token-missing',
            'case-unknown',
            'case-withdrawn',
            'case-expired',
            'notice-incomplete',
            'store-unavailable',
          ),
        },
      },
    },
    async (request) => {
      const { laws, statements, actingAs, contact } = request.body
      const given = { laws: [...new Set(laws)], statements: [...new Set(statements)], actingAs, contact }
      return noticeView(await notices.give(ownCaseOf(request), given))
    },
  )
}

function getNoticeRoute(app: ZodApp, { notices }: NoticeRouteOptions): void {
  app.get(
    '/cases/:caseNumber/notice',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'getNotice',
        summary: 'Get the notice of a case',
        tags: ['cases'],
        params: CaseNumberParam,
        response: {
          200: z.object({ notice: NoticeView.nullable() }),
          ...may('token-missing', 'case-unknown', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const notice = await notices.of(ownCaseOf(request))
      return { notice: notice === undefined ? null : noticeView(notice) }
    },
  )
}

interface OverdueRoute {
  readonly path: '/deadlines/overdue' | '/deadlines/overdue/own'
  readonly scope: 'admin' | 'cases:write'
  readonly operationId: string
  readonly summary: string
}

function overdueRoute(
  app: ZodApp,
  { notices }: NoticeRouteOptions,
  { path, scope, operationId, summary }: OverdueRoute,
): void {
  app.get(
    path,
    {
      config: { scope },
      schema: {
        operationId,
        summary,
        description: 'Longest overdue first.',
        tags: ['signals'],
        querystring: PageQuery,
        response: { 200: OverdueList, ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable') },
      },
    },
    async (request) => {
      const contact = scope === 'admin' ? undefined : callerOf(request).orgId
      const { after, limit } = request.query
      const { deadlines, next } = await notices.overdue(contact, after, limit)
      return { deadlines: deadlines.map(overdueView), next: nextOf(next) }
    },
  )
}

function lawView(law: (typeof LAWS)[number]): z.infer<typeof LawView> {
  const { title, statements, needsContact, fixedByLaw, stages, sources } = SLA_PROFILES[law]
  return {
    law,
    title,
    statements: [...statements],
    needsContact,
    fixedByLaw,
    stages: stages.map(({ stage, allowedMs }) => ({ stage, withinHours: allowedMs / 3_600_000 })),
    sources: [...sources],
  }
}

export function noticeView({
  laws,
  statements,
  actingAs,
  contactOrgId,
  givenAtMs,
}: Awaited<ReturnType<Notices['give']>>): z.infer<typeof NoticeView> {
  return {
    laws: [...laws],
    statements: [...statements],
    actingAs,
    hasContact: contactOrgId !== undefined,
    givenAt: instant(givenAtMs),
  }
}

function overdueView({ dueAtMs, durationS, ...rest }: OverdueDeadline) {
  return { ...rest, dueAt: instant(dueAtMs), ...durationView(durationS) }
}

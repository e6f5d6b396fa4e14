// What a person is told before she opens a case: who runs the service, how long it keeps what, and who receives it.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { PrivacyNotice } from '../../../web/privacy-notice.js'
import { may } from '../../problems.js'

const Notice = z.object({
  version: z
    .string()
    .meta({ description: 'To be sent as consentVersion when a case is opened. Changes with the other fields.' }),
  operator: z.object({
    name: z.string(),
    link: z.string().meta({ description: 'https:, mailto: or tel:' }),
    country: z.string().meta({ description: 'ISO 3166-1 alpha-2.' }),
    authority: z.string().meta({ description: 'Who takes complaints about the operator.' }),
  }),
  retentionDays: z.int().meta({ description: 'After how many days a case ends that is not renewed.' }),
  platforms: z.array(z.string()).meta({
    description:
      'Platforms that take part, as the operator lists them. They may be in other countries, and keep hashes until they delete them.',
  }),
})

export interface PrivacyRouteOptions {
  readonly privacyNotice: PrivacyNotice | undefined
}

export const privacyRoutes: FastifyPluginAsyncZod<PrivacyRouteOptions> = async (app, { privacyNotice }) => {
  app.get(
    '/privacy',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'getPrivacyNotice',
        summary: 'Get who runs the service, and what a person agrees to',
        description:
          'The words are at `/privacy`, in each language of the page. notice: null where the operator has not stated them.',
        tags: ['cases'],
        response: { 200: z.object({ notice: Notice.nullable() }), ...may() },
      },
    },
    async () => ({
      notice: privacyNotice === undefined ? null : { ...privacyNotice, platforms: [...privacyNotice.platforms] },
    }),
  )
}

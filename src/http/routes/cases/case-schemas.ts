// Schemas for opening a case, and of a case.

import { z } from 'zod'
import { CONSENT_KINDS } from '../../../domain/cases/assistance.js'
import { CASE_STATES, PIN_PATTERN } from '../../../domain/cases/case.js'
import { PLATFORM_BUCKETS } from '../../../domain/cases/case-event.js'
import { NOTICE_VERSION } from '../../../web/privacy-notice.js'
import { Declared } from '../../declared-age.js'
import { CategoryName, ExtendedProtection, Instant, RecoveryCode } from '../../schemas.js'
import { Proof } from './challenge.js'

const ConsentVersion = z.string().regex(NOTICE_VERSION, 'must be a version of GET /v1/privacy')

export const NewCase = z.strictObject({
  ...Declared,
  adult: z.literal(true).meta({
    description:
      'Is the person in the pictures 18 or older now, and was so in every picture? If false, the answer lists hotlines and nothing is kept.',
  }),
  category: CategoryName.optional(),
  extendedProtection: ExtendedProtection,
  consentVersion: ConsentVersion.optional().meta({
    description:
      'The version of GET /v1/privacy that she was shown and agreed to. Required where the operator has stated who runs the service.',
  }),
  proof: Proof.optional(),
})

export const Pin = z.strictObject({
  pin: z
    .string()
    .max(64)
    .normalize('NFKC')
    .regex(PIN_PATTERN, 'must be six digits, or the sixteen of the recovery code')
    .meta({ description: 'The PIN or the recovery code.' }),
})

export const OpenedCase = z.object({
  caseNumber: z.string(),
  pin: z.string(),
  recoveryCode: RecoveryCode,
  token: z.string(),
  expiresAt: Instant,
  remindAt: Instant,
})

export const Platforms = z
  .enum(PLATFORM_BUCKETS)
  .meta({ description: 'A range, not an exact number. Platforms are never named.' })
export const PlatformsAsking = Platforms.meta({ description: 'How many hold a key that may query or read the feed now.' })

export const CaseView = z
  .object({
    caseNumber: z.string(),
    state: z.enum(CASE_STATES),
    category: CategoryName.nullable(),
    createdAt: Instant,
    expiresAt: Instant,
    remindAt: Instant.meta({
      description: 'When to renew. The service has no address to send a reminder to, so note the date.',
    }),
    withdrawnAt: Instant.nullable(),
    expiredAt: Instant.nullable(),
    erasedAt: Instant.nullable().meta({ description: 'When its hashes were erased from all files of the store.' }),
    images: z.int().meta({ description: 'How many images are registered now.' }),
    extendedProtection: z.boolean().meta({ description: 'Are details of its images kept?' }),
    consentVersion: z.string().nullable().meta({
      description:
        'Which version of the privacy notice was agreed to when it was opened. null: none was required, or an organisation opened it.',
    }),
    assisted: z
      .object({
        consent: z.object({ kind: z.enum(CONSENT_KINDS), on: z.iso.date() }),
        attested: z.boolean(),
        handedOverAt: Instant.nullable(),
        organisation: z.string().nullable().meta({ description: 'Who opened it. null: it is no longer known here.' }),
        readsSince: Instant.nullable().meta({
          description:
            'Since when this organisation may read the case and change nothing, as agreed at the handover. null: it may not. Before the handover it acts for her. `DELETE …/reading-right` ends it.',
        }),
      })
      .nullable()
      .meta({ description: 'Set if an organisation opened the case on her behalf: how she agreed, and when.' }),
    endsAt: Instant.nullable().meta({
      description:
        'When it ends because somebody without the recovery code wished so: with the PIN, or the operator with the number. Stop it with `DELETE …/wishes` and a token that was obtained with the code.',
    }),
    newPinFrom: Instant.nullable().meta({
      description:
        'From when on a new PIN and code may be used that were asked for with the PIN. `DELETE …/wishes` discards them.',
    }),
    pausedUntil: Instant.nullable().meta({
      description: 'Until when its images match nothing. `DELETE …/pause` ends that.',
    }),
    complaint: z.boolean().meta({ description: 'Is the number of a complaint noted?' }),
  })
  .meta({ id: 'Case' })

export const GivenPin = z.object({
  pin: z.string().nullable().meta({ description: 'null: after too many wrong PINs only the recovery code opens the case.' }),
  recoveryCode: RecoveryCode,
  effectiveAt: Instant.nullable().meta({ description: 'From when on they may be used. null: now.' }),
})

/** A wish that was made without the recovery code. */
export const Wish = z.object({
  effectiveAt: Instant.meta({ description: 'When it takes effect, unless it is stopped before.' }),
})

// Schemas for opening a case.

import { z } from 'zod'
import { PIN_PATTERN } from '../../../domain/cases/case.js'
import { PLATFORM_BUCKETS } from '../../../domain/cases/case-event.js'
import { Declared } from '../../declared-age.js'
import { CategoryName, ExtendedProtection, Instant, RecoveryCode } from '../../schemas.js'
import { Proof } from './challenge.js'

export const NewCase = z.strictObject({
  ...Declared,
  adult: z.literal(true).meta({
    description:
      'Is the person in the pictures 18 or older now, and was so in every picture? If false, the answer lists hotlines and nothing is kept.',
  }),
  category: CategoryName.optional(),
  extendedProtection: ExtendedProtection,
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

export const GivenPin = z.object({
  pin: z.string().nullable().meta({ description: 'null: after too many wrong PINs only the recovery code opens the case.' }),
  recoveryCode: RecoveryCode,
})

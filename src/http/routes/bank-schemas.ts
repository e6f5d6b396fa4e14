// Schemas of banks and their signals.

import { z } from 'zod'
import { BANK_PURPOSES } from '../../../packages/core/src/matching/bank.js'
import { byComparedType, SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import { Declared } from '../declared-age.js'
import { GivenAnimation, isPicture, NO_PICTURE } from '../given-videos.js'
import {
  BankName,
  CategoryName,
  GivenImageSignals,
  GivenRef,
  Instant,
  Quality,
  SignalHashText,
  SignalTypeName,
} from '../schemas.js'

export const Readers = z.array(z.string().min(1).max(200)).max(1000).meta({
  description:
    'Names of the organisations that may see the bank and get its matches. All organisations if omitted or null; only the owner if empty.',
})

export const NewBank = z.strictObject({
  readers: Readers.nullable().default(null),
  name: BankName,
  purpose: z.enum(BANK_PURPOSES).default('match').meta({
    description:
      'harmless: nothing is found by a hash that is as near to a signal of this bank; it is never answered from. Needs the scope admin too.',
  }),
  thresholdBits: z
    .strictObject(byComparedType((type) => z.int().min(0).max(SIGNAL_TYPES[type].maxThresholdBits).exactOptional()))
    .default({})
    .meta({ description: 'Match thresholds in bits, inclusive, for signal types that should not use their default.' }),
})

export const GivenSignal = z.strictObject({
  ...Declared,
  type: SignalTypeName,
  hash: SignalHashText,
  quality: Quality.optional(),
  ref: GivenRef.optional(),
  category: CategoryName.optional(),
})

/** A picture of a bank, by all of its hashes. */
export const GivenBankImage = z
  .strictObject({
    ...Declared,
    signals: GivenImageSignals,
    animation: GivenAnimation.optional(),
    ref: GivenRef.optional(),
    category: CategoryName.optional(),
  })
  .refine(({ signals }) => signals.some(({ view = 'whole' }) => view === 'whole'), 'must have a signal of the whole picture')
  .refine(isPicture, NO_PICTURE)

export const BankView = z
  .object({
    bank: z.string(),
    exactName: z.string().meta({
      description: 'Identifies this bank in queries, even if you can see another bank of the same name.',
    }),
    purpose: z.enum(BANK_PURPOSES),
    own: z.boolean().meta({ description: 'May you write to it?' }),
    thresholdBits: z.partialRecord(SignalTypeName, z.int()),
    createdAt: Instant.nullable(),
    readers: z.array(z.string()).nullable().optional().meta({
      description: 'Only for your own banks: the organisations besides you that may see it; null for all.',
    }),
  })
  .meta({ id: 'Bank' })

// The door that pictures of people under 18 do not pass: what a body may say of age.

import { z } from 'zod'
import { ADULT_AGE_YEARS } from '../domain/cases/hotlines.js'

/** What a body may say besides, wherever pictures or hashes are handed in. Anything younger is turned away before it is read. */
export const Declared = {
  adult: z.literal(true).optional(),
  age: z.int().min(ADULT_AGE_YEARS).max(150).optional().meta({
    description: 'Age in years of the person when the picture was taken. Under 18: refused, with hotlines.',
  }),
} as const

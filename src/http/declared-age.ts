// Fields by which a body declares that everybody in a picture is an adult.

import { z } from 'zod'
import { ADULT_AGE_YEARS } from '../domain/cases/hotlines.js'

/** Part of every body that registers pictures or hashes. A lower age is rejected before pictures are read. */
export const Declared = {
  adult: z.literal(true).optional(),
  age: z.int().min(ADULT_AGE_YEARS).max(150).optional().meta({
    description: 'Age in years of the person when the picture was taken. Under 18: refused, with hotlines.',
  }),
} as const

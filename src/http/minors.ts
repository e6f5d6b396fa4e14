// The door that pictures of people under 18 do not pass: whoever declares one, in whatever part of whatever request.

import { z } from 'zod'
import { ADULT_AGE_YEARS } from '../domain/hotlines.js'

/** What a body may say besides, wherever pictures or hashes are handed in. Anything younger is turned away before it is read. */
export const Declared = {
  adult: z.literal(true).optional(),
  age: z.int().min(ADULT_AGE_YEARS).max(150).optional().meta({
    description: 'In years, of the person in the picture when it was taken. Under 18: refused, with the hotlines.',
  }),
} as const

const LISTS = ['images', 'signals', 'queries']

/** Does a body, or one of the things that it lists, declare a person under 18? Cost: two look-ups for each of these. */
export function declaresMinor(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  if (declares(body)) return true
  return LISTS.some((name) => {
    const list: unknown = name in body ? Reflect.get(body, name) : undefined
    return Array.isArray(list) && list.some((each) => typeof each === 'object' && each !== null && declares(each))
  })
}

/** The same of one field of a form, or of one parameter of an address, where everything is text. */
export function fieldDeclaresMinor(name: string, value: unknown): boolean {
  return (name === 'adult' && isNo(value)) || (name === 'age' && isUnderAge(value))
}

function declares(thing: object): boolean {
  return ('adult' in thing && isNo(thing.adult)) || ('age' in thing && isUnderAge(thing.age))
}

function isNo(value: unknown): boolean {
  return value === false || (typeof value === 'string' && /^\s*(false|no|0)\s*$/i.test(value))
}

/** Text that begins with a number counts: `15 years` is an answer too. */
function isUnderAge(value: unknown): boolean {
  const age = typeof value === 'number' ? value : typeof value === 'string' ? Number.parseFloat(value) : Number.NaN
  return age < ADULT_AGE_YEARS
}

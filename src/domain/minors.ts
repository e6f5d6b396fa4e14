// Does somebody declare a person under 18? Asked wherever pictures or hashes are handed in, of bodies, lines, fields and tags.

import { ADULT_AGE_YEARS } from './hotlines.js'

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

/**
 * Does a tag, label or classification of another system say that a picture shows a child? The industry's classes A1 to B2, and the
 * words that are in use. A tag that says so in other words passes: what a list is about is settled when it is agreed on.
 */
export function tagDeclaresMinor(tag: string): boolean {
  return MINOR_CLASS.test(tag) || MINOR_WORDS.test(tag)
}

const MINOR_CLASS = /^\s*(?:class(?:ification)?[\s_:-]*)?[ab][12]\s*$/i
const MINOR_WORDS =
  /(?:^|[^a-z])(?:csam|csem|csea|csai|cei|cse|cp|pthc|child(?:ren)?|minors?|under_?age|infants?|toddlers?|teen|pre_?teen|prepubescent|pubescent)(?:[^a-z]|$)|child_?(?:abuse|sexual|porn|exploit)/i

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

// Sentences in the page's language, with its own numbers, dates and plurals.

import { ownValue } from '../src/domain/own-value.js'
import { given } from './given.js'

const numbers = new Intl.NumberFormat(given.language)
const plurals = new Intl.PluralRules(given.language)
const minutes = new Intl.NumberFormat(given.language, { style: 'unit', unit: 'minute', unitDisplay: 'long' })
const shares = new Intl.NumberFormat(given.language, { style: 'percent' })
const times = new Intl.DateTimeFormat(given.language, { hour: 'numeric', minute: '2-digit' })
const moments = new Intl.DateTimeFormat(given.language, { dateStyle: 'long', timeStyle: 'short' })
const dates = new Intl.DateTimeFormat(given.language, { dateStyle: 'long' })

type Values = Readonly<Record<string, string | number>>

/** @param values replace the names in braces; numbers are formatted for the language. */
export function say(key: string, values: Values = {}): string {
  const message = ownValue(given.messages, key) ?? ''
  return message.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = ownValue(values, name) ?? ''
    return typeof value === 'number' ? numbers.format(value) : value
  })
}

/**
 * As `say`, for `n` things: in the plural form that the language uses for this number. One thing has its own sentence in every language, even where
 * the plural has the same word: "all of them" would be wrong.
 */
export function sayCount(key: string, n: number, values: Values = {}): string {
  const form = n === 1 ? 'one' : plurals.select(n)
  return say(`${key}.${given.messages[`${key}.${form}`] === undefined ? 'other' : form}`, { n, ...values })
}

export function sayMinutes(ms: number): string {
  return minutes.format(Math.max(1, Math.ceil(ms / 60_000)))
}

/** @param share 0…1. */
export function sayShare(share: number): string {
  return shares.format(share)
}

export function sayTime(at: Date): string {
  return times.format(at)
}

export function sayDate(instant: string): string {
  return dates.format(new Date(instant))
}

export function sayMoment(instant: string): string {
  return moments.format(new Date(instant))
}

/** One number when both are the same. Older browsers cannot format a range; a dash is understood everywhere. */
export function sayRange(least: number, most: number): string {
  return least === most ? numbers.format(least) : `${numbers.format(least)}–${numbers.format(most)}`
}

export function sayNumber(n: number): string {
  return numbers.format(n)
}

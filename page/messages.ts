// Sentences in the page's language, with its own numbers, dates and plurals.

import { ownValue } from '../packages/core/src/own-value.js'
import { given } from './given.js'

/** A sentence in the language that the page has when it is called: the language may change while the sentence is shown. */
export type Said = () => string

type Values = Readonly<Record<string, string | number | Said>>

interface Spoken {
  readonly language: string
  readonly direction?: 'ltr' | 'rtl'
  readonly messages: Readonly<Record<string, string>>
}

let messages = given.messages
let formats = formatsIn(given.language)
let isolated = isolateIn(given.direction)

/** Sentences that are already shown do not change by this: `dom.ts` says them again. */
export function speak(spoken: Spoken): void {
  messages = spoken.messages
  formats = formatsIn(spoken.language)
  isolated = isolateIn(spoken.direction)
}

/** In a sentence that runs from right to left, a code or an English name would put its parts in another order. Isolated, each keeps its own. */
function isolateIn(direction: 'ltr' | 'rtl' = 'ltr'): (value: string) => string {
  return direction === 'ltr' ? (value) => value : (value) => `\u2068${value}\u2069`
}

function formatsIn(language: string) {
  return {
    numbers: new Intl.NumberFormat(language),
    plurals: new Intl.PluralRules(language),
    minutes: new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'long' }),
    shares: new Intl.NumberFormat(language, { style: 'percent' }),
    times: new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }),
    moments: new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short' }),
    dates: new Intl.DateTimeFormat(language, { dateStyle: 'long' }),
  }
}

/** @param values replace the names in braces; numbers are formatted for the language. */
export function say(key: string, values: Values = {}): Said {
  return () => {
    const message = ownValue(messages, key) ?? ''
    return message.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = ownValue(values, name) ?? ''
      if (typeof value === 'function') return value()
      return typeof value === 'number' ? formats.numbers.format(value) : isolated(value)
    })
  }
}

/**
 * As `say`, for `n` things: in the plural form that the language uses for this number. One thing has its own sentence in every language, even where
 * the plural has the same word: "all of them" would be wrong.
 */
export function sayCount(key: string, n: number, values: Values = {}): Said {
  return () => {
    const selected = formats.plurals.select(n)
    const form = n === 1 ? 'one' : selected === 'one' ? 'other' : selected
    return say(`${key}.${messages[`${key}.${form}`] === undefined ? 'other' : form}`, { n, ...values })()
  }
}

export function sayMinutes(ms: number): Said {
  return () => formats.minutes.format(Math.max(1, Math.ceil(ms / 60_000)))
}

/** @param share 0…1. */
export function sayShare(share: number): Said {
  return () => formats.shares.format(share)
}

export function sayTime(at: Date): Said {
  return () => formats.times.format(at)
}

export function sayDate(instant: string): Said {
  return () => formats.dates.format(new Date(instant))
}

export function sayMoment(instant: string): Said {
  return () => formats.moments.format(new Date(instant))
}

/** One number when both are the same. Older browsers cannot format a range; a dash is understood everywhere. No line ends within it. */
export function sayRange(least: number, most: number): Said {
  if (least === most) return sayNumber(least)
  return () => `${formats.numbers.format(least)}\u2060–\u2060${formats.numbers.format(most)}`
}

export function sayNumber(n: number): Said {
  return () => formats.numbers.format(n)
}

// Texts of the report for police and regulators: the `report.` messages of a language.

import { readFileSync } from 'node:fs'
import { ownValue } from '../../../packages/core/src/own-value.js'
import type { LanguageTag } from '../../domain/languages.js'

export interface ReportWords {
  /** @throws {Error} if the language lacks the text. */
  say(key: string): string
  /** @param count a number, or for platforms a range such as `3-5`. */
  count(key: string, count: number | string): string
}

/** @throws {Error} if `build.mjs` has not written the language. */
export function reportWordsIn(language: LanguageTag): ReportWords {
  const file = new URL(`../../../public/messages/${language}.json`, import.meta.url)
  return reportWords(language, JSON.parse(readFileSync(file, 'utf8')))
}

export function reportWords(language: LanguageTag, messages: Readonly<Record<string, string>>): ReportWords {
  const plurals = new Intl.PluralRules(language)
  const say = (key: string) => {
    const text = ownValue(messages, `report.${key}`)
    if (text === undefined) throw new Error(`the report in ${language} lacks ${key}`)
    return text
  }
  return {
    say,
    count(key, count) {
      if (count === 'more') return say(`${key}.more`)
      const selected = plurals.select(Number(String(count).split('-').at(-1)))
      // As on the page: only one thing is spoken of as one.
      const form = String(count) === '1' ? 'one' : selected === 'one' ? 'other' : selected
      const known = ownValue(messages, `report.${key}.${form}`) === undefined ? 'other' : form
      return say(`${key}.${known}`).replace('{n}', String(count))
    },
  }
}

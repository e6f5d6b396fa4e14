// The texts of each language, and what the tests know of its words.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')

export function messagesOf(language: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(root, `page/messages/${language}.json`), 'utf8'))
}

/** Patterns without slashes; letters in any case. */
export interface Words {
  /** By the English term: what this language calls it, in every form that it takes in a sentence. */
  readonly glossary: Readonly<Record<string, string>>
  /** Promises that cannot be kept. */
  readonly banned: string
  /** Words that misled test readers: too vague, of another meaning, or not in use there. */
  readonly misleading: string
  readonly police: string
  /** That a lawyer or a helpline is asked before. */
  readonly adviser: string
  /** Keys of messages that are the same in English. */
  readonly sameAsEnglish: readonly string[]
}

export function wordsOf(language: string): Words {
  return JSON.parse(readFileSync(join(root, `test/page/words/${language}.json`), 'utf8'))
}

export function pattern(text: string): RegExp {
  return new RegExp(text, 'iu')
}

// The English page by the formula of Flesch and Kincaid (1975): its grade is a year of school in the United States, and grade 6 is age 11 to 12.

import t from 'tap'
import { messagesOf } from '../helpers/languages.js'

const MAX_GRADE = 6
const MAX_WORDS = 40
/** Labels of fewer words are no sentences, and would make the figure better than it is. */
const MIN_WORDS = 4

const english = Object.entries(messagesOf('en')).filter(([key]) => !key.startsWith('report.')) // a paper for offices

/** By full stops and question marks alone, though a colon ends a thought as well. */
function sentencesOf(message: string): string[][] {
  return message
    .replaceAll(/\{\w+\}/g, 'one')
    .split(/[.?!]["”]?(?:\s+|$)/)
    .map((sentence) => sentence.match(/[A-Za-z’'-]+/g) ?? [])
    .filter((words) => words.length >= MIN_WORDS)
}

/** Vowels that are heard, roughly: a last e is not. */
function syllablesOf(word: string): number {
  const letters = word.toLowerCase().replaceAll(/[^a-z]/g, '')
  if (letters.length <= 3) return 1
  const spoken = letters.replace(/(?:[^laeiouy]es|[^laeiouyd]ed|[^laeiouy]e)$/, (end) => end.slice(0, 1)).replace(/^y/, '')
  return spoken.match(/[aeiouy]{1,2}/g)?.length ?? 1
}

function gradeOf(sentences: readonly string[][]): number {
  const words = sentences.flat()
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0)
  return 0.39 * (words.length / sentences.length) + 11.8 * (syllables / words.length) - 15.59
}

t.test('the formula knows plain words from others', async (t) => {
  t.ok(gradeOf(sentencesOf('The cat sat on the mat. The dog was in the garden.')) < 2)
  const office =
    'Notwithstanding applicable legislation, participating organisations communicate determinations immediately.'
  t.ok(gradeOf(sentencesOf(office)) > 20)
})

t.test('each part of the page can be read at the age of 11', async (t) => {
  const parts = new Set(english.map(([key]) => key.slice(0, key.indexOf('.'))))
  for (const part of parts) {
    const sentences = english.flatMap(([key, message]) => (key.startsWith(`${part}.`) ? sentencesOf(message) : []))
    if (sentences.length === 0) continue
    const grade = gradeOf(sentences)
    t.ok(grade <= MAX_GRADE, `${part}: grade ${grade.toFixed(1)}`)
    t.comment(`${part}: grade ${grade.toFixed(1)}`)
  }
  t.comment(`all: grade ${gradeOf(english.flatMap(([, message]) => sentencesOf(message))).toFixed(1)}`)
})

t.test('no sentence of the page is so long that its beginning is forgotten', async (t) => {
  for (const [key, message] of english)
    for (const words of sentencesOf(message)) t.ok(words.length <= MAX_WORDS, `${key}: ${words.length} words`)
})

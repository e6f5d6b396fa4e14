// Decision records stay few and short, have one form, and every mention of one refers to an existing record.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const MAX_RECORDS = 40
const MAX_WORDS = 350
const MAX_INDEX_LINES = 60
const HEADINGS = ['Status', 'Context', 'Decision', 'Consequences']

/** Without CHANGELOG.md, which keeps the text of past releases. */
const PLACES = [
  'src',
  'workers',
  'page',
  'console',
  'test',
  'docs',
  'bench',
  'fuzz',
  'supply',
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
]
const TEXT = /\.(ts|tsx|mjs|md)$/
const RECORD = /^(\d{4})-[a-z0-9-]+\.md$/
const LINK = /\]\(([^)\s]+)\)/g
const MENTION = /\bdecisions?\s+(\d{4}(?:(?:, | and | to )\d{4})*)/gi

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'docs/decisions')
const records = readdirSync(folder).filter((name) => name !== 'README.md')
const numbers = new Set(records.map((name) => name.slice(0, 4)))
const files = PLACES.flatMap(filesUnder)

t.test('there are at most forty decision records, with unique numbers', async (t) => {
  t.ok(records.length > 0 && records.length <= MAX_RECORDS, `${records.length} records, at most ${MAX_RECORDS}`)
  for (const name of records) t.match(name, RECORD)
  t.equal(numbers.size, records.length, 'no number twice')
})

t.test('each decision record has a title, the four headings, and at most 350 words', async (t) => {
  for (const name of records) {
    const text = textOf(join('docs/decisions', name))
    t.ok(text.startsWith(`# ${name.slice(0, 4)} `), `${name}: a title with its number`)
    const headings = [...text.matchAll(/^#{2,} (.+)$/gm)].map(([, heading]) => heading)
    t.same(headings, HEADINGS, `${name}: its headings`)
    const words = wordsIn(text)
    t.ok(words <= MAX_WORDS, `${name}: ${words} words, at most ${MAX_WORDS}`)
  }
})

t.test('the index lists each record once and is short', async (t) => {
  const index = textOf('docs/decisions/README.md')
  t.ok(index.trimEnd().split('\n').length <= MAX_INDEX_LINES)
  const listed = linksIn(index).filter((link) => RECORD.test(link))
  t.same(listed.toSorted(), records.toSorted())
})

t.test('every mention of a decision refers to an existing record', async (t) => {
  t.ok(files.length > 1000, 'all files are read')
  for (const file of files.filter((name) => name !== 'docs/decisions/README.md'))
    for (const [mention, list = ''] of textOf(file).matchAll(MENTION))
      for (const number of list.split(/\D+/)) if (!numbers.has(number)) t.fail(`${file}: ${mention}`)
})

function filesUnder(place: string): string[] {
  if (statSync(join(root, place)).isFile()) return [place]
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .map((name) => join(place, name))
    .filter((name) => TEXT.test(name) && !name.includes('node_modules') && !name.includes('.generated.'))
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(LINK)].map(([, link]) => link ?? '')
}

/** As `wc -w` counts. */
function wordsIn(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}

// The lists of fuzz/mutate.mjs find what to break by its text. A mutation whose text is gone breaks nothing, unnoticed.

import { access, readFile } from 'node:fs/promises'
import { t } from 'tap'
import { suiteOf } from '../dealt.js'

interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

interface Mutation {
  readonly tests?: readonly string[]
}

interface Lists {
  readonly lists: ReadonlyMap<string, { readonly mutations: readonly Mutation[]; readonly tests?: readonly string[] }>
  readonly changesOf: (mutation: Mutation) => readonly Change[]
}

const root = new URL('../../../', import.meta.url)
const { lists, changesOf }: Lists = await import(new URL('fuzz/mutations/lists.mjs', root).href)

t.same([...lists.keys()], ['search', 'details', 'exchange', 'history', 'looks', 'trust', 'video'])
for (const [name, { mutations, tests = [] }] of lists) {
  t.test(`each mutation of the list ${name} matches one place and changes it`, async (t) => {
    const changes = mutations.flatMap(changesOf)
    const texts = new Map<string, string>()
    for (const { file } of changes) {
      if (!texts.has(file)) texts.set(file, await readFile(new URL(file, root), 'utf8'))
    }
    const misplaced = changes.filter(({ file, from, to }) => texts.get(file)?.split(from).length !== 2 || from === to)

    t.ok(changes.length > 0)
    t.same(misplaced, [])
    for (const test of new Set([...tests, ...mutations.flatMap((each) => each.tests ?? [])])) {
      await t.resolves(access(new URL(`dist/test/${test}.test.js`, root)), test)
      t.not(suiteOf(`${test}.test.js`), 'long', `${test} runs before each change`)
    }
  })
}

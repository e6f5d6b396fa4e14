// The programs that break the code on purpose know what to break by its text. A fault whose place is gone breaks nothing, and nobody would notice.

import { readFile } from 'node:fs/promises'
import { t } from 'tap'

interface Fault {
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = new URL('../../../', import.meta.url)

/** What a module of faults exports, and where the files of its faults lie. */
const lists = [
  { module: 'search-mutations', name: 'wrong', folder: '' },
  { module: 'search-slowdowns', name: 'slower', folder: '' },
  { module: 'details-mutations', name: 'mutations', folder: '' },
  { module: 'exchange-mutations', name: 'faults', folder: 'dist/src/' },
]

for (const { module, name, folder } of lists) {
  t.test(`each fault of ${module} has one place, and changes it`, async (t) => {
    const exported: Record<string, readonly Fault[]> = await import(new URL(`fuzz/${module}.mjs`, root).href)
    const faults = exported[name] ?? []

    const texts = new Map<string, string>()
    for (const { file } of faults) {
      if (!texts.has(file)) texts.set(file, await readFile(new URL(folder + file, root), 'utf8'))
    }
    const misplaced = faults.filter(({ file, from, to }) => texts.get(file)?.split(from).length !== 2 || from === to)

    t.ok(faults.length > 0)
    t.same(misplaced, [])
  })
}

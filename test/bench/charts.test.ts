// The charts of the docs show what the record says: each is drawn again from it, and has to be the same.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../../..')
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')

interface Chart {
  readonly chart: (figures: unknown, threshold?: number) => string
}
interface Recorded {
  readonly stage?: string
  readonly queries: number
  readonly frontier?: unknown
}

t.test('the charts of robustness are those of the runs whose tables stand above them', async (t) => {
  const { chart }: Chart = await import(join(root, 'bench/robustness/chart.mjs'))
  const runs: readonly Recorded[] = JSON.parse(textOf('bench/record/robustness.json'))
  for (const [name, queries, stage] of [
    ['edits', 18_600, 'hash'],
    ['details', 1674, 'service'],
  ] as const) {
    const run = runs.find((one) => one.stage === stage && one.queries === queries)
    t.match(textOf('docs/robustness.md'), `${queries.toLocaleString('en')} queries`, name)
    t.ok(
      textOf(`docs/robustness/${name}.svg`) === chart(run),
      `${name}.svg: draw it again from bench/record/robustness.json`,
    )
  }
})

t.test('the charts of performance are those of the record', async (t) => {
  const picture: Chart = await import(join(root, 'bench/picture/chart.mjs'))
  const sizes: readonly Recorded[] = JSON.parse(textOf('bench/record/picture.json'))
  const drawn = picture.chart(sizes.filter(({ frontier }) => frontier !== undefined))
  t.ok(textOf('docs/performance/picture.svg') === drawn, 'picture.svg: draw it again from bench/record/picture.json')
  const search: Chart = await import(join(root, 'bench/search/chart.mjs'))
  const { readRecords }: { readonly readRecords: () => unknown } = await import(join(root, 'bench/search/record.mjs'))
  t.ok(textOf('docs/performance/search.svg') === search.chart(readRecords(), 31), 'search.svg: draw it again')
})

t.test('the chart of false pairs is that of its figures and of the thresholds in use', async (t) => {
  const file = join(t.testdir(), 'rates.svg')
  const script = join(root, 'bench/robustness/false-rates.mjs')
  execFileSync(process.execPath, [script, join(root, 'docs/robustness/false-rates.csv'), file])
  t.ok(textOf('docs/robustness/false-rates.svg') === readFileSync(file, 'utf8'), 'false-rates.svg: draw it again')
})

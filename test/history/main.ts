// npm run fuzz history -- [--seconds S] [--seed N] [--only GROUP,…] [--ignore PROMISE,…] [--other FOLDER] [--shrink-seconds S] [--json] [--trace]
//
// The status is 1 when a promise was broken, and 2 when the run itself failed.

import { parseArgs } from 'node:util'
import { isPromiseName, PROMISES } from './promises.js'
import { type HistoryReport, runHistory } from './run.js'
import { SCENARIOS } from './scenarios.js'
import { GROUPS, textOf } from './steps.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    ignore: { type: 'string', default: '' },
    other: { type: 'string' },
    'shrink-seconds': { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
})
const listed = (text: string) => text.split(',').filter((name) => name !== '')
const kinds = [...GROUPS, ...SCENARIOS.map(({ name }) => name)]
const only = listed(values.only)
const ignored = listed(values.ignore)
const unknown = [...only.filter((name) => !kinds.includes(name)), ...ignored.filter((name) => !isPromiseName(name))]
if (unknown.length > 0) {
  process.stderr.write(
    `Unknown: ${unknown.join(', ')}. Kinds: ${kinds.join(', ')}. Promises: ${Object.keys(PROMISES).join(', ')}.\n`,
  )
  process.exit(2)
}
const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
try {
  const report = await runHistory({
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    only,
    other: values.other,
    ignored: new Set(ignored.filter(isPromiseName)),
    shrinkSeconds: Number(values['shrink-seconds']),
    ended: ended.signal,
    tell: (line) => process.stderr.write(`${line}\n`),
    trace: (line) => values.trace && process.stderr.write(`  ${line}\n`),
  })
  show(report)
  process.exit(report.finding === undefined ? 0 : 1)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(2)
}

function show({ finding, ...report }: HistoryReport): void {
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ seed: Number(values.seed), ...report, ...(finding !== undefined && { finding }) })}\n`,
    )
    return
  }
  process.stdout.write(`seed ${values.seed}: ${report.episodes} episodes, ${report.steps} steps, ${report.seconds} s\n`)
  for (const [name, times] of Object.entries(report.byScenario)) process.stdout.write(`  ${name.padEnd(28)} ${times}\n`)
  if (finding === undefined) return
  const { promise, what, scenario, episode, shortest } = finding
  process.stdout.write(`Not kept: ${promise} (${PROMISES[promise]}).\n  ${what}\n`)
  process.stdout.write(`  seed ${values.seed}, episode ${episode} (${scenario}). The shortest sequence that showed it:\n`)
  for (const step of shortest) process.stdout.write(`    ${textOf(step)}\n`)
}

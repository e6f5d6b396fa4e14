// npm run faults -- [--faults N] [--seed S] [--longest-ms M] [--only NAME]… [--tell-every N] [--json]
// npm run faults -- --failovers N [--seed S]   with three Redis and three Sentinels: the master is killed and cut off by turns
// npm run faults -- --versions FOLDER [--seed S]   with another version, built in that folder: upgraded process by process, and back

import { parseArgs } from 'node:util'
import { failover, type MasterEnd } from './failover.js'
import type { Findings } from './findings.js'
import { isCause, run } from './run.js'
import { versions } from './versions.js'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    'longest-ms': { type: 'string', default: '30000' },
    only: { type: 'string', multiple: true },
    'tell-every': { type: 'string', default: '1' },
    failovers: { type: 'string' },
    versions: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
if (values.failovers !== undefined) {
  const ends = Array.from({ length: Number(values.failovers) }, (_, i): MasterEnd => (i % 2 === 0 ? 'killed' : 'cut off'))
  const { findings, acknowledged, tookMs } = await failover(ends, Number(values.seed))
  list(findings)
  const { lost, wrong, hung } = findings
  const longestMs = Math.round(Math.max(...tookMs))
  const numbers = { failovers: ends.length, acknowledged, lost: lost.length, wrongAnswers: wrong.length, hung: hung.length }
  process.stdout.write(`${JSON.stringify({ ...numbers, longestMs, tookMs: tookMs.map(Math.round) })}\n`)
  process.exit(lost.length + wrong.length + hung.length === 0 ? 0 : 1)
}
if (values.versions !== undefined) {
  const { findings, acknowledged, steps } = await versions(values.versions, Number(values.seed), (line) =>
    process.stderr.write(`${line}\n`),
  )
  list(findings)
  const { lost, wrong, hung, crashes } = findings
  const numbers = { steps: steps.length, acknowledged, lost: lost.length, wrongAnswers: wrong.length, hung: hung.length }
  process.stdout.write(`${JSON.stringify({ ...numbers, crashes: crashes.length })}\n`)
  process.exit(lost.length + wrong.length + hung.length + crashes.length === 0 ? 0 : 1)
}
const only = values.only?.filter(isCause)
const { report, findings, leftOut } = await run({
  faults: Number(values.faults),
  seed: Number(values.seed),
  longestMs: Number(values['longest-ms']),
  ...(only !== undefined && { only }),
  tell: (line) => process.stderr.write(`${line}\n`),
  tellEvery: Number(values['tell-every']),
})
for (const name of leftOut) process.stderr.write(`left out, for want of a file system of its own: ${name}\n`)
list(findings)
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
else for (const [name, number] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${number}\n`)
const isKept = report.lost + report.wrongAnswers + report.imageBytesFound + report.hung === 0
process.exit(isKept ? 0 : 1)

function list({ lost, wrong, traces, hung, crashes }: Findings): void {
  for (const [kind, lines] of Object.entries({ lost, wrong, traces, hung, crashes })) {
    for (const line of new Set(lines)) {
      process.stderr.write(`${kind}: ${line} (${lines.filter((other) => other === line).length})\n`)
    }
  }
}

// npm run faults -- [--faults N] [--seed S] [--longest-ms M] [--only NAME]… [--json]

import { parseArgs } from 'node:util'
import { isCause, run } from './run.js'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    'longest-ms': { type: 'string', default: '30000' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
})
const only = values.only?.filter(isCause)
const { report, findings, leftOut } = await run({
  faults: Number(values.faults),
  seed: Number(values.seed),
  longestMs: Number(values['longest-ms']),
  ...(only !== undefined && { only }),
  tell: (line) => process.stderr.write(`${line}\n`),
})
for (const name of leftOut) process.stderr.write(`left out, for want of a file system of its own: ${name}\n`)
const { lost, wrong, traces, hung, crashes } = findings
for (const [kind, lines] of Object.entries({ lost, wrong, traces, hung, crashes })) {
  for (const line of new Set(lines))
    process.stderr.write(`${kind}: ${line} (${lines.filter((other) => other === line).length})\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
else for (const [name, number] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${number}\n`)
const isKept = report.lost + report.wrongAnswers + report.imageBytesFound + report.hung === 0
process.exit(isKept ? 0 : 1)

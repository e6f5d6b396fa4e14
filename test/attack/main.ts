// npm run attack [-- --only TEXT] [--small]
//
// The status is 1 when an attack works again, and 2 when one could not be tried.

import { parseArgs } from 'node:util'
import { ATTACKS } from './attacks.js'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, small: { type: 'boolean', default: false } },
})
let status = 0
for (const { name, run } of ATTACKS.filter((attack) => attack.name.includes(values.only))) {
  const endings: (() => unknown)[] = []
  const began = performance.now()
  let outcome = 'holds'
  try {
    const broken = await run({ teardown: (ending) => endings.push(ending) }, values.small ? 'small' : 'large')
    if (broken.length > 0) {
      outcome = `BROKEN: ${broken.join('; ')}`
      status ||= 1
    }
  } catch (error) {
    outcome = `NOT TRIED: ${error instanceof Error ? error.message : String(error)}`
    status = 2
  } finally {
    for (const ending of endings.reverse()) await ending()
  }
  process.stdout.write(`${name} (${Math.round((performance.now() - began) / 1000)} s): ${outcome}\n`)
}
process.exit(status)

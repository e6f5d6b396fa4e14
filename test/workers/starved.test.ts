// Whether a process waits for a processor, tested with real processes.

import { spawn } from 'node:child_process'
import t, { type Test } from 'tap'
import { isStarved } from '../../workers/starved.js'
import { until } from '../helpers/service.js'

const BUSY = 'for (;;);'

t.test(
  'a process that another keeps from its only processor is starved',
  { skip: process.platform !== 'linux' },
  async (t) => {
    start(t, ['taskset', '-c', '0', process.execPath, '-e', BUSY])
    const starved = start(t, ['taskset', '-c', '0', 'nice', '-n', '19', process.execPath, '-e', BUSY])
    await until(() => isStarved(starved))
    t.pass('it gets one of seventy time slices')
  },
)

t.test('a sleeping process is not starved, and a process that has ended is not', async (t) => {
  const sleeping = start(t, [process.execPath, '-e', 'setInterval(() => {}, 1e6)'])
  await until(async () => !(await isStarved(sleeping))) // once it has started
  t.pass('it waits for no processor')
  t.equal(await isStarved(2 ** 30), false)
})

function start(t: Test, [program = '', ...args]: readonly string[]): number {
  const child = spawn(program, args, { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  if (child.pid === undefined) throw new Error('it cannot be started')
  return child.pid
}

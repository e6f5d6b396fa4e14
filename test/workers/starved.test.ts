// Whether a process waits for a processor, asked of real ones.

import { spawn } from 'node:child_process'
import t, { type Test } from 'tap'
import { isStarved } from '../../workers/starved.js'
import { until } from '../helpers/service.js'

const BUSY = 'for (;;);'

t.test('one that another keeps from its only processor is starved', { skip: process.platform !== 'linux' }, async (t) => {
  start(t, ['taskset', '-c', '0', process.execPath, '-e', BUSY])
  const starved = start(t, ['taskset', '-c', '0', 'nice', '-n', '19', process.execPath, '-e', BUSY])
  await until(() => isStarved(starved))
  t.pass('it gets one of seventy moments')
})

t.test('one that sleeps is not, and one that is gone is not', async (t) => {
  const sleeping = start(t, [process.execPath, '-e', 'setInterval(() => {}, 1e6)'])
  await until(async () => !(await isStarved(sleeping))) // once it has started
  t.pass('it waits for nobody')
  t.equal(await isStarved(2 ** 30), false)
})

function start(t: Test, [program = '', ...args]: readonly string[]): number {
  const child = spawn(program, args, { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  if (child.pid === undefined) throw new Error('it cannot be started')
  return child.pid
}

import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { createLifecycle, startOrStop } from '../../src/app/lifecycle.js'
import { runs } from '../helpers/runs.js'

t.test('every started part is stopped once and in reverse order, even if starts or stops fail', async (t) => {
  const part = fc.record({
    start: fc.constantFrom('well', 'fails'),
    stop: fc.constantFrom('well', 'late', 'fails', 'fails late', 'hangs'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), fc.boolean(), async (parts, isStoppedTwice) => {
      const lifecycle = createLifecycle()
      const started: number[] = []
      const stopped: number[] = []
      const told: unknown[] = []
      const start = async () => {
        for (const [i, { start, stop }] of parts.entries()) {
          if (start === 'fails') throw new Error(`start ${i}`)
          started.push(i)
          const onStop = () => {
            stopped.push(i)
            return stopping[stop](i)
          }
          lifecycle.add(`part ${i}`, onStop, stop === 'hangs' ? 1 : undefined)
        }
      }
      const failing = parts.findIndex(({ start }) => start === 'fails')
      const error = await startOrStop(lifecycle, start, (error) => told.push(error)).catch((error: Error) => error)
      if (failing === -1) t.same(stopped, [], 'a successful start stops nothing')
      else t.match(error, { message: `start ${failing}` })

      const stops = [lifecycle.stop(), ...(isStoppedTwice ? [lifecycle.stop()] : [])]
      const outcomes = await Promise.allSettled(stops)
      t.same(stopped, started.toReversed())
      const unstopped = started.filter((i) => parts[i]?.stop.startsWith('fails')).toReversed()
      if (failing !== -1)
        t.same(
          told.map(String),
          unstopped.map((i) => `Error: stop ${i}`),
        )
      for (const outcome of outcomes) {
        if (unstopped.length === 0) t.equal(outcome.status, 'fulfilled')
        else
          t.match(outcome, { reason: { message: `Could not be stopped: ${unstopped.map((i) => `part ${i}`).join(', ')}.` } })
      }
      t.throws(() => lifecycle.add('late', () => {}), /had been stopped/)
    }),
    { numRuns: runs(66) },
  )
})

t.test('a part that is started while others stop is stopped too', async (t) => {
  const lifecycle = createLifecycle()
  const stopped: string[] = []
  lifecycle.add('first', () => stopped.push('first'))
  lifecycle.add('second', async () => {
    lifecycle.keep('third', { close: () => stopped.push('third') })
    stopped.push('second')
  })
  await lifecycle.stop()
  t.same(stopped, ['second', 'third', 'first'])
})

const stopping = {
  well: () => {},
  late: () => turn(),
  fails(i: number) {
    throw new Error(`stop ${i}`)
  },
  async 'fails late'(i: number) {
    await turn()
    throw new Error(`stop ${i}`)
  },
  hangs: () => new Promise<void>(() => {}),
}

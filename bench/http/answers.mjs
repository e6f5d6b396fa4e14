// How a process of a benchmark answers the one that started it: one handler for each name, one answer for each question.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 1

/** Answers until it is left alone. Says `ready` at once, unless somebody else of this process will. */
export function answer(handlers, { saysReady = true } = {}) {
  process.on('message', async ({ id, name, order }) => {
    try {
      process.send({ id, answer: await handlers[name](order) })
    } catch (error) {
      process.send({ id, error: `${name}: ${error.stack}` })
    }
  })
  if (!saysReady) return
  process.on('SIGINT', () => {}) // a Ctrl-C reaches this process, too; its parent says when to end
  process.on('disconnect', () => process.exit())
  process.send({ ready: true })
}

/** What an api is asked about itself: what it has had from the cores, and how long its event loop keeps others waiting. */
export function ownHandlers() {
  let delay
  return {
    cpuUs: () => cpuUs(),
    watch() {
      delay?.disable()
      delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      delay.enable()
    },
    /** In milliseconds since `watch`, without the pause that the watch itself makes between two looks. */
    delays() {
      delay.disable()
      const ms = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS)
      return { p50Ms: ms(delay.percentile(50)), p99Ms: ms(delay.percentile(99)), maxMs: ms(delay.max) }
    },
  }
}

/** Of all threads of this process: also those that compile and collect garbage. */
export function cpuUs() {
  const { user, system } = process.cpuUsage()
  return user + system
}

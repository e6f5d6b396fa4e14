// Samples the api's metrics and the memory of each process during a phase of a load.

import { readFileSync } from 'node:fs'
import { openConnection, requestBytes } from '../http/connection.mjs'
import { redisNumber, residentBytes } from '../service.mjs'

/** @param parts processes by name; a process's children count with it. */
export function memoryOf(parts, store) {
  return async () => ({
    ...Object.fromEntries(
      Object.entries(parts).map(([name, { pid }]) => [
        `${name}Mb`,
        [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentBytes(one), 0) / 1e6,
      ]),
    ),
    redisMb: (await redisNumber(store, 'memory', 'used_memory')) / 1e6,
  })
}

/** Samples until `end`, which returns them. A sample that fails is left out. */
export function sampled(port, memory, intervalMs) {
  const samples = []
  let last = Promise.resolve()
  const take = async () => {
    const atMs = performance.now()
    const connection = await openConnection(port)
    const { body } = await connection.request(requestBytes('GET', '/metrics', 'none'))
    connection.close()
    const oldestS = Number(/^tabir_picture_oldest_seconds (\S+)/m.exec(body.toString())?.[1])
    samples.push({ atMs, oldestS, ...(await memory()) })
  }
  const timer = setInterval(() => {
    last = last.then(take).catch(() => {})
  }, intervalMs)
  return {
    async end() {
      clearInterval(timer)
      await last
      return samples
    },
  }
}

function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

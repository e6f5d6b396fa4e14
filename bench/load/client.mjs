// The client of the mixed load, in a process of its own. Every answer is checked. It has so many connections and no more: what finds none
// free is not sent, and counted. It has no core to itself: how late it was itself is in every time, and told beside them.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { answer } from '../http/answers.mjs'
import { openConnection } from '../http/connection.mjs'
import { percentile } from '../report.mjs'
import { arrivals, drawing, KINDS, makeMix } from './mix.mjs'

const MAX_CONNECTIONS = 512

let mix

answer({
  async prepare({ port, key, rows }) {
    mix = await makeMix({ port, key, rows })
  },

  /** One kind alone, or all of them by their shares: over so many connections, each sending its next when it has its answer, or when it was told to come again. */
  async closed({ port, ms, connections, kind, seed }) {
    const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
    const draw = kind === undefined ? drawing(seed) : () => kind
    const tally = tallying()
    const begun = performance.now()
    const oneAfterTheOther = async (connection) => {
      for (let sentMs = begun; sentMs - begun < ms; sentMs = performance.now()) {
        const which = draw()
        const { bytes, isRight } = mix[which]()
        const answered = await connection.request(bytes)
        tally.add(which, answered, isRight, sentMs, performance.now())
        if (answered.retryAfterS !== undefined) await new Promise((again) => setTimeout(again, 1000 * answered.retryAfterS))
      }
    }
    await Promise.all(open.map(oneAfterTheOther))
    for (const connection of open) connection.close()
    return { ...tally.all(begun), wallMs: performance.now() - begun }
  },

  /**
   * So many a second, and people beside them, sent when they are due, whether or not those before have their answers. Times count from when
   * a request was due.
   */
  async open({ port, ms, perS, peoplePerS, seed }) {
    const free = []
    let opened = 0
    const tally = tallying()
    const sending = new Set()
    const own = monitorEventLoopDelay({ resolution: 1 })
    own.enable()
    const lateMs = []
    const begun = performance.now()
    const send = async (kind, dueMs) => {
      let connection = free.pop()
      for (; connection?.isOpen === false; opened--) connection = free.pop()
      if (connection === undefined) {
        if (opened === MAX_CONNECTIONS) return tally.unsent(kind)
        opened++
        connection = await openConnection(port)
      }
      const { bytes, isRight } = mix[kind]()
      lateMs.push(performance.now() - dueMs)
      try {
        tally.add(kind, await connection.request(bytes), isRight, dueMs, performance.now())
        free.push(connection)
      } catch {
        opened-- // the service closed the connection, because sending took too long on a busy machine
        tally.brokenOff(kind)
      }
    }
    const draw = drawing(seed)
    const streams = [
      { gap: arrivals(perS, seed), kind: draw, dueMs: begun },
      ...(peoplePerS > 0 ? [{ gap: arrivals(peoplePerS, seed + 1), kind: () => 'person', dueMs: begun }] : []),
    ]
    for (let nowMs = begun; nowMs - begun < ms; nowMs = performance.now()) {
      for (const stream of streams) {
        for (; stream.dueMs <= nowMs; stream.dueMs += stream.gap()) {
          const sent = send(stream.kind(), stream.dueMs).finally(() => sending.delete(sent))
          sending.add(sent)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(sending)
    for (const connection of free) connection.close()
    own.disable()
    /** Of a hundred requests, one was sent later than that, and one answer was read later than that. */
    const late = {
      sentP99Ms: percentile(Float64Array.from(lateMs), 0.99),
      readP99Ms: Math.max(0, own.percentile(99) / 1e6 - 1),
    }
    return { ...tally.all(begun), wallMs: performance.now() - begun, connections: opened, late }
  },
})

function tallying() {
  const kinds = Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      { atMs: [], times: [], refusedAtMs: [], refusedBy: {}, wrong: 0, unsent: 0, brokenOff: 0, withoutRetryAfter: 0 },
    ]),
  )
  return {
    brokenOff(kind) {
      kinds[kind].brokenOff++
    },
    unsent(kind) {
      kinds[kind].unsent++
    },
    add(kind, answered, isRight, sentMs, answeredMs) {
      const own = kinds[kind]
      // 429: writes alone come to what one key may send in a minute.
      if (answered.status === 503 || answered.status === 429) {
        own.refusedAtMs.push(answeredMs)
        const code = codeOf(answered)
        own.refusedBy[code] = (own.refusedBy[code] ?? 0) + 1
        if (answered.retryAfterS === undefined) own.withoutRetryAfter++
        return
      }
      own.atMs.push(answeredMs)
      own.times.push(answeredMs - sentMs)
      if (!isRight(answered)) own.wrong++
    },
    /** Times since `begun`. */
    all: (begun) => ({
      kinds: Object.fromEntries(
        Object.entries(kinds).map(([kind, own]) => [
          kind,
          {
            ...own,
            times: Float64Array.from(own.times),
            atMs: Float64Array.from(own.atMs, (ms) => ms - begun),
            refusedAtMs: Float64Array.from(own.refusedAtMs, (ms) => ms - begun),
          },
        ]),
      ),
    }),
  }
}

function codeOf({ body }) {
  return /"code":"([a-z-]+)"/.exec(body.toString())?.[1] ?? 'unknown'
}

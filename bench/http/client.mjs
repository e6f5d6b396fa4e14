// The client, in its own process, so that it shares no event loop with what it measures. Every answer is checked; answers to single queries by their bytes.

import { answer, cpuUs, ownHandlers } from './answers.mjs'
import { openConnection, requestBytes } from './connection.mjs'
import { isRefusal, isRight, isRightAnswer, makeQueries, matchBody } from './queries.mjs'

const BATCH = 1000
const BATCHES = 4

let prepared
const { watch, delays } = ownHandlers()

answer({
  /** Prepares all requests. */
  prepare({ rows, key }) {
    const post = (queries, transforms) => requestBytes('POST', '/v1/match', key, matchBody(queries, transforms))
    prepared = [false, true].map((transforms) => {
      const queries = makeQueries(rows, BATCHES * BATCH, transforms)
      const batches = Array.from({ length: BATCHES }, (_, i) => queries.slice(i * BATCH, (i + 1) * BATCH))
      return {
        singles: queries.map((query) => ({ query, bytes: post([query], transforms) })),
        batches: batches.map((batch) => ({ queries: batch, bytes: post(batch, transforms) })),
      }
    })
  },

  /** Single queries over several connections, each sending its next one after an answer. */
  async load({ port, transforms, ms, connections, preparedBits }) {
    const { singles } = prepared[Number(transforms)]
    const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
    const tally = tallying(preparedBits)
    let next = 0
    const before = cpuUs()
    const begun = performance.now()
    const oneAfterTheOther = async (connection) => {
      for (let sent = begun; sent - begun < ms; sent = performance.now()) {
        const { query, bytes } = singles[next++ % singles.length]
        tally.add(await connection.request(bytes), query, performance.now() - sent)
      }
    }
    await Promise.all(open.map(oneAfterTheOther))
    const wallMs = performance.now() - begun
    const spentUs = cpuUs() - before
    for (const connection of open) connection.close()
    return { ...tally.all(), wallMs, cpuUs: spentUs }
  },

  /** Calls of a thousand queries, one after the other. An answer is checked while the next call runs. */
  async calls({ port, transforms, ms, least = 1, preparedBits }) {
    const { batches } = prepared[Number(transforms)]
    const connection = await openConnection(port)
    const times = []
    let wrong = 0
    let refused = 0
    let check = () => {}
    const begun = performance.now()
    while (times.length < least || performance.now() - begun < ms) {
      const { queries, bytes } = batches[times.length % BATCHES]
      const sent = performance.now()
      const answered = connection.request(bytes)
      check()
      const { status, body } = await answered
      times.push(performance.now() - sent)
      check = () => {
        if (isRefusal(status)) refused++
        const { results = [] } = isRefusal(status) ? {} : JSON.parse(body.toString())
        wrong += queries.filter((query, i) => !isRight(results[i], query, preparedBits) && !isRefusal(status)).length
      }
    }
    check()
    connection.close()
    return { times: Float64Array.from(times), wrong, refused }
  },

  /**
   * Single queries at a fixed rate, sent when they are due, whether or not those before have their answers: an api that stands
   * still for a while makes all of those late that come meanwhile, as it would in life. How late this process was itself, which is in
   * every time, comes with them.
   */
  async steady({ port, transforms, ms, perS }) {
    const { singles } = prepared[Number(transforms)]
    const free = [await openConnection(port)]
    const tally = tallying()
    const sending = []
    const send = async ({ query, bytes }) => {
      const connection = free.pop() ?? (await openConnection(port))
      const sent = performance.now()
      tally.add(await connection.request(bytes), query, performance.now() - sent)
      free.push(connection)
    }
    const begun = performance.now()
    watch()
    for (let i = 0; performance.now() - begun < ms; i++) {
      sending.push(send(singles[i % singles.length]))
      await until(begun + ((i + 1) * 1000) / perS)
    }
    await Promise.all(sending)
    for (const connection of free) connection.close()
    return { ...tally.all(), clientDelays: delays() }
  },
})

/** Refusals are counted without their times, because they are quick. */
function tallying(preparedBits) {
  const times = []
  let wrong = 0
  let refused = 0
  return {
    add(answered, query, ms) {
      if (isRefusal(answered.status)) {
        refused++
        return
      }
      times.push(ms)
      if (!isRightAnswer(answered, query, preparedBits)) wrong++
    },
    all: () => ({ times: Float64Array.from(times), wrong, refused }),
  }
}

async function until(ms) {
  const left = ms - performance.now()
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
}

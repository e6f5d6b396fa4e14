// How long until one api has a change that another one took: signals added and removed.

import { setTimeout as sleep } from 'node:timers/promises'
import { formatHash } from '../../dist/packages/hash/src/hash256.js'
import { progress } from '../report.mjs'
import { BANK } from '../service.mjs'
import { json, openConnection, requestBytes, untilAnswered } from './connection.mjs'
import { isRefusal, isRight, matchBody, strangerOf } from './queries.mjs'

const GIVE_UP_MS = 5000
const WARM_UP = 20
const MAX_PAUSE_MS = 20 // random each time, so that pauses do not align with the waits of followers

/**
 * Adds and removes signals through one api, and asks another one over and over: its answers are as far apart as one match takes.
 *
 * @returns times in milliseconds, from when a request is sent, and from when its answer is here; these are negative where the
 * other api was faster than the answer. Of changes that were refused at first there are no times.
 */
export async function measureVisibility({ key, toPort, askPort, count }) {
  const to = await openConnection(toPort)
  const asked = await openConnection(askPort)
  const times = { added: [], addedAfterAnswer: [], removed: [], removedAfterAnswer: [] }
  const draw = progress('added and removed', count)
  let wrong = 0
  let refused = 0

  const since = async (change, expectedStatus, hash, expected) => {
    const query = requestBytes('POST', '/v1/match', key, matchBody([{ hash }], false))
    let answeredAt
    const changed = untilAnswered(to, change).then((answer) => {
      answeredAt = performance.now()
      return answer
    })
    let seenAt
    while (seenAt === undefined) {
      const { status, body } = await asked.request(query)
      if (isRefusal(status))
        refused++ // and it is asked again: then it takes as long as it takes
      else if (isRight(JSON.parse(body.toString()).results[0], expected)) seenAt = performance.now()
      else if (performance.now() - (answeredAt ?? performance.now()) > GIVE_UP_MS)
        throw new Error('the other api does not come to know of a change')
    }
    const answer = await changed
    // What was refused may have been done all the same, and is then not there to be removed.
    const isExpected = answer.status === expectedStatus || (answer.refused > 0 && answer.status === 404)
    if (!isExpected) throw new Error(`answered ${answer.status}`)
    refused += answer.refused
    // What was seen once must not be taken back: an answer from before the change would be an older state.
    const { results } = await json(asked, query)
    if (!isRight(results[0], expected)) wrong++
    return { answer, fromSentMs: seenAt - answer.sentAtMs, fromAnswerMs: seenAt - answeredAt }
  }

  for (let i = -WARM_UP; i < count; i++) {
    const hash = strangerOf(-1 - (i + WARM_UP)) // negative: imports count upwards
    const body = JSON.stringify({ signals: [{ type: 'pdq', hash: formatHash(hash) }] })
    const add = requestBytes('POST', `/v1/banks/${BANK}/signals`, key, body)
    const added = await since(add, 201, hash, { distanceBits: 0 })
    const { signalId } = JSON.parse(added.answer.body.toString()).signals[0]
    await sleep(MAX_PAUSE_MS * Math.random())
    const remove = requestBytes('DELETE', `/v1/banks/${BANK}/signals/${signalId}`, key)
    const removed = await since(remove, 204, hash, {})
    await sleep(MAX_PAUSE_MS * Math.random())
    if (i < 0 || added.answer.refused + removed.answer.refused > 0) continue
    times.added.push(added.fromSentMs)
    times.addedAfterAnswer.push(added.fromAnswerMs)
    times.removed.push(removed.fromSentMs)
    times.removedAfterAnswer.push(removed.fromAnswerMs)
    draw(i + 1)
  }
  to.close()
  asked.close()
  return { ...times, wrong, refused }
}

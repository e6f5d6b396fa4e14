// How long until what one api has taken is known to another: signals that are added, and signals that are removed.

import { setTimeout as sleep } from 'node:timers/promises'
import { formatHash } from '../../dist/src/hash/hash256.js'
import { progress } from '../report.mjs'
import { BANK } from '../service.mjs'
import { json, openConnection, requestBytes } from './connection.mjs'
import { isRefusal, isRight, matchBody, strangerOf } from './queries.mjs'

const GIVE_UP_MS = 5000
const WARM_UP = 20
const MOST_PAUSE_MS = 20 // drawn anew each time, so that nothing falls into step with the followers' waiting

/**
 * Adds and removes signals through one api, and asks another one over and over: its answers are as far apart as one match takes.
 *
 * @returns times in milliseconds, from when a request is sent, and from when its answer is here; these are negative where the
 * other api was faster than the answer.
 */
export async function measureVisibility({ key, toPort, askPort, count }) {
  const to = await openConnection(toPort)
  const asked = await openConnection(askPort)
  const times = { added: [], addedAfterAnswer: [], removed: [], removedAfterAnswer: [] }
  const draw = progress('added and removed', count)
  let wrong = 0
  let refused = 0

  const since = async (change, hash, expected) => {
    const query = requestBytes('POST', '/v1/match', key, matchBody([{ hash }], false))
    const sent = performance.now()
    let answeredAt
    const changed = change().then((answer) => {
      answeredAt = performance.now()
      return answer
    })
    let seenAt
    while (seenAt === undefined) {
      const { status, body } = await asked.request(query)
      if (isRefusal(status))
        refused++ // and it is asked again: then it takes as long as it takes
      else if (isRight(JSON.parse(body.toString()).results[0], expected)) seenAt = performance.now()
      else if (performance.now() - sent > GIVE_UP_MS) throw new Error('the other api does not come to know of a change')
    }
    const answer = await changed
    // What was seen once must not be taken back: an answer from before the change would be an older state.
    const { results } = await json(asked, query)
    if (!isRight(results[0], expected)) wrong++
    return { answer, fromSentMs: seenAt - sent, fromAnswerMs: seenAt - answeredAt }
  }

  for (let i = -WARM_UP; i < count; i++) {
    const hash = strangerOf(-1 - (i + WARM_UP)) // negative: imports count upwards
    const body = JSON.stringify({ signals: [{ type: 'pdq', hash: formatHash(hash) }] })
    const add = requestBytes('POST', `/v1/banks/${BANK}/signals`, key, body)
    const added = await since(() => json(to, add, 201), hash, { distanceBits: 0 })
    const { signalId } = added.answer.signals[0]
    await sleep(MOST_PAUSE_MS * Math.random())
    const remove = requestBytes('DELETE', `/v1/banks/${BANK}/signals/${signalId}`, key)
    const removed = await since(() => json(to, remove, 204), hash, {})
    await sleep(MOST_PAUSE_MS * Math.random())
    if (i < 0) continue
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

// After a fault: is the service available again, and has it kept its promises?

import { setTimeout as sleep } from 'node:timers/promises'
import { checkHashes, checkPicture, hashesIn, picturesIn } from './asker.js'
import { is, isNotNow, type Reply } from './client.js'
import { askOne, type Scene } from './load.js'
import { patience } from './patience.js'

/** Everything must answer again this soon after a fault. */
const GIVE_UP_AFTER_MS = 120_000
const POLL_MS = 20
const AT_ONCE = 500

/** Waits until every api is ready, and answers a query for a hash and for a picture. */
export async function ready(scene: Scene): Promise<boolean> {
  const { apis, workers } = scene.deployment
  const { signal, end } = patience(GIVE_UP_AFTER_MS)
  const all = async (question: (at: number) => Promise<Reply>) => {
    const replies = await Promise.all(apis.map((_, at) => question(at)))
    return replies.every((reply) => is(reply, 200))
  }
  const isReady = async () =>
    workers.isReady &&
    (await all((at) => askOne(scene, at, { method: 'GET', path: '/health/ready' }))) &&
    (await all((at) => checkHashes(scene, at, [], () => {}))) &&
    (await all((at) => checkPicture(scene, at, undefined, () => {})))
  let wasReady = await isReady()
  while (!wasReady && !signal.aborted) {
    await sleep(POLL_MS)
    wasReady = await isReady()
  }
  end()
  return wasReady
}

/** Queries every api for everything. The load continues meanwhile, and no fault happens. */
export async function verify(scene: Scene): Promise<void> {
  const { findings, deployment } = scene
  for (const at of deployment.apis.keys()) {
    const hashes = hashesIn(scene)
    for (let from = 0; from < hashes.length; from += AT_ONCE) {
      const some = hashes.slice(from, from + AT_ONCE)
      const reply = await answered(() =>
        checkHashes(scene, at, some, (_, found) => {
          if (found) findings.wrong.push(`a withdrawn hash matched at api ${at}`)
          else findings.lost.push(`a hash at api ${at}`)
        }),
      )
      if (!is(reply, 200)) findings.hung.push(`api ${at} was ready and could not be asked: ${codeOf(reply)}`)
    }
  }
  const [picture] = picturesIn(scene)
  if (picture === undefined) return
  const reply = await answered(() =>
    checkPicture(scene, 0, picture, (_, found) => {
      if (found) findings.wrong.push('a withdrawn picture matched')
      else findings.lost.push('a picture')
    }),
  )
  if (!is(reply, 200)) findings.hung.push(`a picture could not be asked for after a fault: ${codeOf(reply)}`)
}

/** A 503 on a busy machine is no wrong answer, but the query is repeated. */
async function answered(question: () => Promise<Reply>): Promise<Reply> {
  const { signal, end } = patience(GIVE_UP_AFTER_MS)
  let reply = await question()
  while (isNotNow(reply) && !signal.aborted) {
    await sleep(POLL_MS)
    reply = await question()
  }
  end()
  return reply
}

function codeOf(reply: Reply): string {
  return reply.kind === 'answer' ? `${reply.status} ${reply.code ?? ''}` : reply.kind
}

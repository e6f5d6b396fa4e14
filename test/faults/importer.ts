// An NGO that imports signals into its bank, repeats some, and removes some.

import { z } from 'zod'
import { is, isNotNow } from './client.js'
import type { Entry } from './ledger.js'
import { hashText, insist, pause, type Scene } from './load.js'

const Imported = z.object({ signals: z.array(z.object({ signalId: z.uuid() })) })

const MAX_HELD = 300

export async function importSignals(scene: Scene): Promise<void> {
  const { ledger, deployment } = scene
  const bank = { method: 'POST', path: '/v1/banks', json: { name: 'faults' }, headers: deployment.headers } as const
  const made = await insist(
    scene,
    bank,
    (reply) => is(reply, 201) || is(reply, 409) || (isNotNow(reply) ? false : 'surprise'),
  )
  if (made === undefined) return
  ledger.noted()
  const held: { readonly entry: Entry; readonly signalId: string }[] = []
  while (!scene.isOver()) {
    const entries = Array.from({ length: 5 + Math.floor(scene.random() * 30) }, () => ledger.add(hashText(scene)))
    const lines = entries.map(({ what }) => JSON.stringify({ type: 'pdq', hash: what }))
    const headers = { ...deployment.headers, 'content-type': 'application/x-ndjson' }
    const body = Buffer.from(`${lines.join('\n')}\n`)
    const call = { method: 'POST', path: '/v1/banks/faults/signals', headers, body } as const
    const done = await insist(scene, call, (reply) => is(reply, 201) || (isNotNow(reply) ? false : 'surprise'))
    if (done === undefined) return
    const { signals } = Imported.parse(done.reply.json)
    entries.forEach((entry, i) => {
      ledger.registered(entry, done.at)
      held.push({ entry, signalId: signals[i]?.signalId ?? '' })
    })
    for (let i = 0; i < 2 || held.length > MAX_HELD; i++) await remove(scene, held)
    await pause(scene, 150)
  }
}

async function remove(scene: Scene, held: { readonly entry: Entry; readonly signalId: string }[]): Promise<void> {
  const { ledger, deployment } = scene
  const [gone] = held.splice(Math.floor(scene.random() * held.length), 1)
  if (gone === undefined) return
  ledger.ending(gone.entry)
  const path = `/v1/banks/faults/signals/${gone.signalId}`
  // 404 after an attempt without an answer: that attempt did it.
  const done = await insist(
    scene,
    { method: 'DELETE', path, headers: deployment.headers },
    (reply) => is(reply, 204) || is(reply, 404) || (isNotNow(reply) ? false : 'surprise'),
  )
  if (done !== undefined) ledger.withdrawn(gone.entry, done.at)
}

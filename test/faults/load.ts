// A steady load on the service, by clients that know what they were promised and report when it is broken.

import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Call, type Reply } from './client.js'
import type { Deployment } from './deployment.js'
import type { Findings } from './findings.js'
import type { Ledger } from './ledger.js'
import type { MarkedPictures } from './pictures.js'

/** What every client of the service needs. */
export interface Scene {
  readonly deployment: Pick<Deployment, 'apis' | 'workers' | 'headers'>
  readonly ledger: Ledger
  readonly pictures: MarkedPictures
  readonly findings: Findings
  readonly random: () => number
  readonly isOver: () => boolean
}

/** Sends a request to one of the apis. A request that hangs is recorded. */
export async function askOne({ deployment, findings }: Scene, at: number, call: Call): Promise<Reply> {
  const url = deployment.apis[at]?.url ?? ''
  const reply = await ask(url, call)
  if (reply.kind === 'hung') findings.hung.push(`${call.method} ${patternOf(call.path)}`)
  return reply
}

/** Records an answer that no fault may cause. */
export function surprised({ findings }: Scene, call: Call, reply: Reply): void {
  if (reply.kind === 'answer')
    findings.wrong.push(`${call.method} ${patternOf(call.path)} answered ${reply.status} ${reply.code ?? ''}`)
}

/**
 * Retries until it is done, at one api after the other. @returns the answer and the api that gave it; undefined when the run
 * is over.
 */
export async function insist(scene: Scene, call: Call, isDone: (reply: Reply) => boolean | 'surprise') {
  for (let at = pickApi(scene); !scene.isOver(); at = 1 - at) {
    const reply = await askOne(scene, at, call)
    const done = isDone(reply)
    if (done === true && reply.kind === 'answer') return { reply, at }
    if (done === 'surprise') {
      surprised(scene, call, reply)
      return undefined
    }
    await sleep(100)
  }
  return undefined
}

export function pickApi({ random }: Scene): number {
  return Math.floor(random() * 2)
}

export function hashText({ random }: Scene): string {
  return Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('')
}

export async function pause({ random }: Scene, meanMs: number): Promise<void> {
  await sleep(2 * meanMs * random())
}

function patternOf(path: string): string {
  return path.replaceAll(/TBR-[\w-]+/g, '{case}').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')
}

// The worker's side of the private listener.

import { createPrivateClient, type LineClient } from '../net/private-line.js'
import { formatAnswer, type HandoffAnswer } from './message.js'

export interface HandoffVisit {
  /** @returns the image in the pieces it arrived in, which the caller overwrites; `undefined` when it no longer waits. */
  take(handoffUrl: string, ticket: string): Promise<readonly Buffer[] | undefined>
  /** @returns whether anybody still waited for the answer. */
  answer(handoffUrl: string, ticket: string, answer: HandoffAnswer): Promise<boolean>
  close(): void
}

const TIMEOUT_MS = 10_000

/** @param line the protocol and client to use; plain HTTP by default. Jobs with an address of another protocol are refused. */
export function visitHandoffs({ protocol, agent, request }: LineClient = createPrivateClient(undefined)): HandoffVisit {
  const send = (method: 'GET' | 'PUT', url: string, body?: string) =>
    new Promise<{ status: number; body: readonly Buffer[] }>((resolve, reject) => {
      if (!url.startsWith(`${protocol}//`)) throw new Error('the hand-off address has another protocol than configured')
      const outgoing = request(url, { method, agent, timeout: TIMEOUT_MS }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => {
          for (const chunk of chunks) chunk.fill(0)
          reject(error)
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: chunks }))
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('hand-off timed out')))
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  return {
    async take(handoffUrl, ticket) {
      const { status, body } = await send('GET', `${handoffUrl}/${ticket}`)
      return status === 200 ? body : undefined
    },
    async answer(handoffUrl, ticket, answer) {
      const { status } = await send('PUT', `${handoffUrl}/${ticket}`, formatAnswer(answer))
      return status === 204
    },
    close: () => agent.destroy(),
  }
}

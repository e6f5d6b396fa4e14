// Simulates another server with pictures, which it sends in every allowed way.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export type PictureAnswer = (response: ServerResponse) => void

/** @param answers the answers, by path. */
export async function startPictures(t: Pick<Test, 'teardown'>, answers: Readonly<Record<string, PictureAnswer>>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const answer = answers[new URL(request.url ?? '', 'http://x').pathname]
    if (answer === undefined) response.writeHead(404).end()
    else answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

export function file(bytes: Buffer, contentType = 'image/jpeg'): PictureAnswer {
  return (response) => response.writeHead(200, { 'content-type': contentType }).end(bytes)
}

export function redirect(to: string): PictureAnswer {
  return (response) => response.writeHead(302, { location: to }).end()
}

// Simulates services of other systems: sends the answers of a test in order, and records requests.

import { createServer } from 'node:http'

export interface StandInAnswer {
  readonly status?: number
  readonly body: string | object
  readonly headers?: Record<string, string>
}

export function standInServer() {
  const asked: { url: string; headers: Record<string, unknown>; body: string }[] = []
  let answers: StandInAnswer[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      asked.push({ url: request.url ?? '', headers: request.headers, body })
      const answer = answers.shift() ?? { status: 418, body: '' }
      response.writeHead(answer.status ?? 200, answer.headers)
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
    })
  })
  return {
    asked,
    answerWith(...next: StandInAnswer[]) {
      answers = next
    },
    /** @returns its address. */
    begin: () =>
      new Promise<string>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          const address = server.address()
          resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
        })
      }),
    end: () => server.close(),
  }
}

// Following a case over a connection that is dead without an error.

import t from 'tap'
import { follow } from '../../page/following/follow-case.js'

const SILENT_MS = 500
const HEARTBEAT_MS = 100

interface Asked {
  readonly after: string | null
}

t.test('a silent connection is given up, and the next one continues after the last event', async (t) => {
  const asked: Asked[] = []
  const encoder = new TextEncoder()
  t.intercept(globalThis, 'addEventListener', { value: () => {} }) // of a window
  t.intercept(globalThis, 'fetch', {
    value: (_url: string, { headers, signal }: { headers: Record<string, string>; signal: AbortSignal }) => {
      asked.push({ after: headers['last-event-id'] ?? null })
      const tries = asked.length
      if (tries === 2) return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const body = new ReadableStream<Uint8Array>({
        async start(stream) {
          signal.addEventListener('abort', () => stream.error(signal.reason))
          const send = (text: string) => stream.enqueue(encoder.encode(text))
          if (tries === 1) {
            // Comments keep the connection alive, for longer than it may be silent.
            for (let i = 0; i < 6; i++) {
              await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS))
              send(':\n\n')
            }
            send('id: 1-0\nevent: matched\ndata: {"id":"1-0","kind":"matched"}\n\n') // and then nothing more
          } else send('id: 2-0\nevent: erased\ndata: {"id":"2-0","kind":"erased"}\n\n')
        },
      })
      return Promise.resolve(new Response(body))
    },
  })
  const told: string[] = []
  await new Promise<void>((resolve) => {
    const happened = ({ id, kind }: { id: string; kind: string }) => {
      told.push(id)
      if (kind === 'erased') resolve()
    }
    const times = { waitMs: 1, silentMs: SILENT_MS }
    follow({ caseNumber: 'n', token: 't' }, '0-0', { happened, refused: (failure) => t.fail(failure.kind) }, times)
  })
  t.same(told, ['1-0', '2-0'])
  t.same(
    asked.map(({ after }) => after),
    ['0-0', '1-0', '1-0'],
    'a broken connection and one that never answers are both abandoned',
  )
})

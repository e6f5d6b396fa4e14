// Sealing for one recipient: the age format (age-encryption.org/v1), which many tools open.

import { Readable } from 'node:stream'

/** May this be a recipient: the public half of a key, `age1…`? Whether it is one shows when it is used. */
export const AGE_RECIPIENT_PATTERN = /^age1[02-9ac-hj-np-z]{50,4000}$/

/**
 * Who holds the identity that belongs to `recipient` can open it, and nobody else, not even we; a file that was cut short does not
 * open to its end.
 * @returns `undefined` when there is no such recipient.
 */
export async function sealedFor(recipient: string, text: AsyncIterable<string>): Promise<Readable | undefined> {
  const { Encrypter } = await import('age-encryption') // 50 ms of every start, for what few starts need
  const encrypter = new Encrypter()
  try {
    encrypter.addRecipient(recipient)
  } catch {
    return undefined
  }
  const sealed: ReadableStream<Uint8Array> = await encrypter.encrypt(streamOf(text))
  return Readable.from(piecesOf(sealed), { objectMode: false })
}

function streamOf(text: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const pieces = text[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await pieces.return?.()
    },
  })
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {}) // whoever asked is gone, or it was the end
  }
}

// Encrypts a text for one recipient in the age format (age-encryption.org/v1).

import { Readable } from 'node:stream'

/** The form of a recipient, which is a public key: `age1…`. `sealedFor` checks whether the key is valid. */
export const AGE_RECIPIENT_PATTERN = /^age1[02-9ac-hj-np-z]{50,4000}$/

/**
 * Encrypts a text so that only the owner of the recipient's private key can read it. Readers notice when a file was cut short.
 * @returns the encrypted bytes; `undefined` when `recipient` is not a valid public key.
 */
export async function sealedFor(recipient: string, text: AsyncIterable<string>): Promise<Readable | undefined> {
  const { Encrypter } = await import('age-encryption') // loaded on demand: loading it takes 50 ms, and few processes need it
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
    await reader.cancel().catch(() => {}) // the stream has ended, or its reader left early
  }
}

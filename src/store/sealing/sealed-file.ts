// A sealed file of pieces. A reader gets all pieces in order up to the last, or an error.

import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { openToRead, writeWholeFile } from '../../../packages/core/src/node/write-file.js'
import { makeFolder } from '../../files/make-folder.js'
import { type Keyring, SEALED, SealError } from './seal.js'

/*
 * [8] MAGIC  [16] random id of this file, then per piece:  [1] 1 for the last, else 0  [4] length  [length] the piece, sealed
 *
 * The context of a piece has the caller's context, the file's id, the piece's number and whether it is the last. So a file that was cut short,
 * assembled from two, or belongs to another deployment does not open.
 */
const MAGIC = Buffer.from('tabir s1')
const ID_BYTES = 16
const HEAD_BYTES = 5
const MAX_PIECE_BYTES = 64 * 1024 * 1024

/**
 * Writes a file atomically: a concurrent reader sees the old file or the new one.
 *
 * @param context what the file is for: a reader must name the same.
 * Cost: about 1 ms a MB. Yields to the event loop at each piece.
 */
export async function writeSealedFile(
  path: string,
  keyring: Keyring,
  context: Uint8Array,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await makeFolder(dirname(path))
  await writeWholeFile(path, sealedPieces(keyring, context, pieces))
}

async function* sealedPieces(
  keyring: Keyring,
  context: Uint8Array,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, void> {
  const fileId = randomBytes(ID_BYTES)
  yield Buffer.concat([MAGIC, fileId])
  let number = 0
  let piece: Uint8Array = new Uint8Array()
  for await (const next of pieces) {
    if (number > 0) yield sealedPiece(keyring, piece, { context, fileId, number, isLast: false })
    piece = next
    number++
  }
  // Without pieces the file has one empty piece.
  yield sealedPiece(keyring, piece, { context, fileId, number: Math.max(1, number), isLast: true })
}

/**
 * @returns the pieces in order; none when there is no file.
 * @throws {SealError} when the file is damaged, cut short or not for this context. Discard the pieces yielded before.
 */
export async function* readSealedFile(path: string, keyring: Keyring, context: Uint8Array): AsyncGenerator<Buffer> {
  const file = await openToRead(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return
  try {
    const head = await readExactly(file, MAGIC.length + ID_BYTES)
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw new SealError('not a sealed file')
    const fileId = head.subarray(MAGIC.length)
    // The next piece is read while the caller has this one.
    let [buffer, spare]: [ReadBuffer, ReadBuffer] = [{ bytes: NO_BYTES }, { bytes: NO_BYTES }]
    let next = readPiece(file, buffer)
    for (let number = 1, isLast = false; !isLast; number++) {
      const piece = await next
      isLast = piece.isLast
      if (!isLast) {
        ;[buffer, spare] = [spare, buffer]
        next = readPiece(file, buffer)
        next.catch(() => {}) // thrown when it is awaited, if the caller continues
      }
      yield keyring.unseal(piece.sealed, placeBytes({ context, fileId, number, isLast }))
    }
  } finally {
    await file.close()
  }
}

/** The random id of a file in hex: differs even for files with equal content. @throws {SealError} when it is not a sealed file. */
export async function sealedFileId(path: string): Promise<string> {
  const file = await openToRead(path)
  try {
    const head = await readExactly(file, MAGIC.length + ID_BYTES)
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw new SealError('not a sealed file')
    return head.subarray(MAGIC.length).toString('hex')
  } finally {
    await file.close()
  }
}

/** Hints of the keys that the pieces are sealed under. Reads only their headers. @throws {SealError} when it is not a sealed file. */
export async function hintsOf(path: string): Promise<ReadonlySet<number>> {
  const file = await openToRead(path)
  try {
    const hints = new Set<number>()
    const magic = Buffer.alloc(MAGIC.length)
    await file.read(magic, 0, magic.length, 0)
    if (!magic.equals(MAGIC)) throw new SealError('not a sealed file')
    const head = Buffer.alloc(HEAD_BYTES + SEALED.nonceAt)
    for (let at = MAGIC.length + ID_BYTES; ; at += HEAD_BYTES + head.readUInt32LE(1)) {
      const { bytesRead } = await file.read(head, 0, head.length, at)
      if (bytesRead < head.length) return hints
      hints.add(head.readUInt8(HEAD_BYTES + SEALED.hintAt))
    }
  } finally {
    await file.close()
  }
}

/** What a piece is sealed for: it opens only in this file, at this position. */
interface Place {
  readonly context: Uint8Array
  readonly fileId: Uint8Array
  /** From 1. */
  readonly number: number
  readonly isLast: boolean
}

function placeBytes({ context, fileId, number, isLast }: Place): Buffer {
  return Buffer.concat([Buffer.from(`file:${number}:${isLast ? 'last' : 'more'}:`), fileId, context])
}

function sealedPiece(keyring: Keyring, piece: Uint8Array, place: Place): Buffer {
  const sealed = keyring.seal(piece, placeBytes(place))
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = place.isLast ? 1 : 0
  head.writeUInt32LE(sealed.length, 1)
  return Buffer.concat([head, sealed])
}

/** A reusable read buffer. Two alternate: a new buffer per piece of a large file would keep the garbage collector busy. */
interface ReadBuffer {
  bytes: Buffer<ArrayBuffer>
}

const NO_BYTES = Buffer.alloc(0)

type Opened = Awaited<ReturnType<typeof openToRead>>

async function readPiece(file: Opened, buffer: ReadBuffer): Promise<{ readonly isLast: boolean; readonly sealed: Buffer }> {
  const head = await readExactly(file, HEAD_BYTES)
  const length = head.readUInt32LE(1)
  if (length > MAX_PIECE_BYTES) throw new SealError('a sealed file is damaged')
  if (buffer.bytes.length < length) buffer.bytes = Buffer.allocUnsafeSlow(length)
  return { isLast: head[0] === 1, sealed: await readExactly(file, length, buffer.bytes) }
}

async function readExactly(file: Opened, count: number, to = Buffer.allocUnsafeSlow(count)): Promise<Buffer> {
  const bytes = to.subarray(0, count)
  for (let at = 0; at < count; ) {
    const { bytesRead } = await file.read(bytes, at)
    if (bytesRead === 0) throw new SealError('a sealed file ends too early')
    at += bytesRead
  }
  return bytes
}

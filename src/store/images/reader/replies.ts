// Parses replies to HGETALL from the socket in place, without objects for fields or copies of values.

/**
 * Takes chunks of a stream of HGETALL replies and reports their fields. Knows these replies in RESP2 and RESP3 and no other part of the protocol.
 */
export class ReplyReader {
  readonly #bytes: Uint8Array
  readonly #onField: FieldListener
  // Invariant: bytes 0 … #filled are unparsed; parsed bytes are removed before more are added.
  #filled = 0
  /** Fields missing from the current reply. */
  #fieldsLeft = 0

  /** @param bytes room for at least the longest field with its value. */
  constructor(bytes: Uint8Array, onField: FieldListener) {
    this.#bytes = bytes
    this.#onField = onField
  }

  /**
   * Calls the listener for every field that is complete now.
   * @returns how many replies ended in this chunk.
   * @throws {ReplyError} for an error reply. {RangeError} when a field exceeds the capacity, or it is another kind of reply.
   */
  write(piece: Uint8Array): number {
    let ended = 0
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + this.#bytes.length - this.#filled)
      if (part.length === 0) throw new RangeError('a field is longer than a reply may have')
      this.#bytes.set(part, this.#filled)
      this.#filled += part.length
      from += part.length
      ended += this.#read()
    }
    return ended
  }

  #read(): number {
    let ended = 0
    let at = 0
    for (;;) {
      const next = this.#fieldsLeft === 0 ? this.#readHead(at) : this.#readField(at)
      if (next === undefined) break
      at = next
      if (this.#fieldsLeft === 0) ended++
    }
    this.#bytes.copyWithin(0, at, this.#filled)
    this.#filled -= at
    return ended
  }

  #readHead(at: number): number | undefined {
    const end = this.#endOfLine(at)
    if (end === undefined) return undefined
    const kind = this.#bytes[at]
    if (kind === MINUS) throw new ReplyError(String.fromCharCode(...this.#bytes.subarray(at + 1, end)))
    const count = this.#number(at + 1, end)
    if (kind === PERCENT) this.#fieldsLeft = count
    else if (kind === STAR && count % 2 === 0) this.#fieldsLeft = count / 2
    else throw new RangeError('not a reply to HGETALL')
    return end + 2
  }

  #readField(at: number): number | undefined {
    const nameEnd = this.#endOfLine(at)
    if (nameEnd === undefined) return undefined
    const nameAt = nameEnd + 2
    const valueHeadAt = nameAt + this.#length(at, nameEnd) + 2
    const valueHeadEnd = this.#endOfLine(valueHeadAt)
    if (valueHeadEnd === undefined) return undefined
    const valueAt = valueHeadEnd + 2
    const valueEnd = valueAt + this.#length(valueHeadAt, valueHeadEnd)
    if (valueEnd + 2 > this.#filled) return undefined
    this.#fieldsLeft--
    this.#onField(nameAt, valueHeadAt - 2, valueAt, valueEnd)
    return valueEnd + 2
  }

  #length(at: number, end: number): number {
    if (this.#bytes[at] !== DOLLAR) throw new RangeError('not a reply to HGETALL')
    return this.#number(at + 1, end)
  }

  /** @returns the offset of the line's CR; `undefined` when it has not arrived. */
  #endOfLine(from: number): number | undefined {
    for (let at = from; at + 1 < this.#filled; at++) if (this.#bytes[at] === CR) return at
    return undefined
  }

  #number(from: number, to: number): number {
    let number = 0
    for (let at = from; at < to; at++) {
      const digit = (this.#bytes[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) throw new RangeError('not a reply to HGETALL')
      number = 10 * number + digit
    }
    return number
  }
}

/** Gets offsets of a field's name and value in the reader's bytes. Valid until it returns; it may overwrite what lies there. */
export type FieldListener = (nameAt: number, nameEnd: number, valueAt: number, valueEnd: number) => void

/** An error reply of Redis. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
}

const MINUS = 0x2d
const STAR = 0x2a
const PERCENT = 0x25
const DOLLAR = 0x24
const CR = 0x0d
const ZERO = 0x30

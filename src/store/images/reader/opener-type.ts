// What opens records of images.

/** A memory in which records of images are opened where they lie, some hundred at once. One thread's own. */
export interface Opener {
  /** Sealed records are put here, from 0 to `inputBytes`. Never moves. */
  readonly bytes: Uint8Array
  readonly inputBytes: number
  /** No more can be added before `open`. */
  readonly isFull: boolean
  /**
   * Adds the record that lies from `from` to `to`, sealed for the image whose id [16 bytes] is at `idAt`. The record has to
   * stay there until `open`; the id need not.
   * @throws {SealError} when it is no sealed record. Nothing that was added is to be opened then, and all is wiped.
   */
  add(idAt: number, from: number, to: number): void
  /**
   * Opens all that was added, or nothing, and tells the listener of each record in the order in which they were added.
   * @throws {SealError} when one does not open, as `Keyring.unseal` does and for the same reasons. No record is told of then,
   *   and all bytes are wiped.
   *
   * Cost: 0.2 to 0.3 µs for a record of 90 bytes, with `add`, in hundreds.
   */
  open(listener: RecordListener): void
}

/** Where in `Opener.bytes` an opened record and the id it was sealed for lie, until it returns. */
export type RecordListener = (idAt: number, from: number, to: number) => void

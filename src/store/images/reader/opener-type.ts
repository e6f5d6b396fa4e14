// The interface of what unseals image records in bulk.

/** Unseals some hundred image records at once, in place. For use by one thread. */
export interface Opener {
  /** The caller puts sealed records here, from 0 to `inputBytes`. Never moves. */
  readonly bytes: Uint8Array
  readonly inputBytes: number
  /** True when `open` must be called before the next `add`. */
  readonly isFull: boolean
  /**
   * Adds the record at `from` … `to`, sealed for the image whose id [16 bytes] is at `idAt`. The record must stay there until `open`; the id
   * is copied.
   * @throws {SealError} when it is not a sealed record. Then all added records are dropped and `bytes` is wiped.
   */
  add(idAt: number, from: number, to: number): void
  /**
   * Opens all added records and calls the listener for each, in the order in which they were added.
   * @throws {SealError} as `Keyring.unseal`, when one of them does not open. Then the listener is not called and `bytes` is wiped.
   *
   * Cost: 0.2 to 0.3 µs for a record of 90 bytes, with `add`, in hundreds.
   */
  open(listener: RecordListener): void
}

/** Gets offsets in `Opener.bytes`: of the id that the record was sealed for, and of the opened record. Valid until it returns. */
export type RecordListener = (idAt: number, from: number, to: number) => void

// The source that a parser of video files reads from: a file in memory, with a limit on the number of reads.

import { BufferSource } from 'mediabunny'

/** Maximum number of reads. Ten minutes with 240 frames a second need half a million. */
const MAX_READS = 4_000_000
/** Maximum reads of the same range in a row: mediabunny 1.61 reads the last eight bytes of a damaged Matroska file for ever. */
const MAX_SAME_READS = 100

/** An internal method of mediabunny, which is not in its types. So package.json has an exact version of it. */
const READ: unknown = Reflect.get(BufferSource.prototype, '_read')
if (typeof READ !== 'function') throw new Error('this version of mediabunny reads in another way')
const read = READ

/** A source whose reads throw a RangeError beyond these limits, so that no file keeps a parser busy for ever. */
export class BoundedSource extends BufferSource {
  #reads = 0
  #sameReads = 0
  #last = ''

  _read(from: number, to: number): unknown {
    const range = `${from} ${to}`
    this.#sameReads = range === this.#last ? this.#sameReads + 1 : 0
    this.#last = range
    if (++this.#reads > MAX_READS || this.#sameReads > MAX_SAME_READS) throw new RangeError('a parser does not end')
    return Reflect.apply(read, this, [from, to])
  }
}

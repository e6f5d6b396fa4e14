// Numbers bank names by their bytes, so that no string is made for each image.

export class BankNames {
  #names: string[] = []
  #bytes: Uint8Array[] = []
  // Invariant: maps a checksum of a name's bytes to the numbers of all names with that checksum.
  readonly #bySum = new Map<number, number[]>()

  /** The number of the name at `from` … `to`. New names are numbered 0, 1, 2 … */
  indexOf(bytes: Uint8Array, from: number, to: number): number {
    let sum = 0
    for (let at = from; at < to; at++) sum = (Math.imul(sum, 31) + (bytes[at] ?? 0)) | 0
    const known = this.#bySum.get(sum) ?? []
    for (const index of known) if (isAt(bytes, from, to, this.#bytes[index])) return index
    const name = bytes.slice(from, to)
    this.#bySum.set(sum, known)
    known.push(this.#names.length)
    this.#bytes.push(name)
    return this.#names.push(new TextDecoder().decode(name)) - 1
  }

  /** The numbered names in order. Numbering restarts after it. */
  take(): string[] {
    const names = this.#names
    this.#names = []
    this.#bytes = []
    this.#bySum.clear()
    return names
  }
}

function isAt(bytes: Uint8Array, from: number, to: number, name: Uint8Array | undefined): boolean {
  if (name?.length !== to - from) return false
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false
  return true
}

// Numbers for the names of banks, without making a string of the name of each image's bank.

export class BankNames {
  #names: string[] = []
  #bytes: Uint8Array[] = []
  // Invariant: has, for the sum of a name's bytes, the numbers of all names with that sum.
  readonly #bySum = new Map<number, number[]>()

  /** The number of the name that lies in `bytes`: 0 for the first, and a new one for a name that was not there yet. */
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

  /** The names that have numbers, in their order. From here on none has. */
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

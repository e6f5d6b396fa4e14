// Numbers for bank names, so that a row stores four bytes instead of a name.

export class BankNumbers {
  readonly #names: string[] = []
  readonly #numbers = new Map<string, number>()
  // Images of each number. Invariant: a number is in `#free` from the removal of its last image until it is assigned again.
  readonly #images: number[] = []
  readonly #free: number[] = []

  /** The names by number; '' for a free number. */
  get names(): readonly string[] {
    return this.#names
  }

  nameOf(number: number): string | undefined {
    return this.#names[number]
  }

  /** The number of a bank, assigned on the first call. It may be reassigned once all images of the bank were removed. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#free.pop() ?? this.#names.length
    this.#names[number] = name
    this.#numbers.set(name, number)
    return number
  }

  addImage(number: number): void {
    this.#images[number] = (this.#images[number] ?? 0) + 1
  }

  removeImage(number: number): void {
    const left = (this.#images[number] ?? 0) - 1
    this.#images[number] = left
    if (left > 0) return
    this.#numbers.delete(this.#names[number] ?? '')
    this.#names[number] = ''
    this.#free.push(number)
  }
}

// The lines of a file, in parts of so many, without ever holding the whole of it.

/** A line of only a hash is as good as a line of NDJSON. */
const HASH_ALONE = /^[0-9a-fA-F]{64}$/

export interface Lines {
  /** NDJSON, as the API takes it. */
  readonly text: string
  readonly count: number
  /** Of the file, from 1, of the first of these; empty lines are left out and counted. */
  readonly numbers: readonly number[]
  /** How much of the file has been read. */
  readonly readBytes: number
}

/** @param file text; lines end in a line feed, or a carriage return and one. */
export async function* linesIn(file: Blob, atOnce: number): AsyncGenerator<Lines> {
  const reader = file.stream().getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  let readBytes = 0
  let texts: string[] = []
  let numbers: number[] = []
  const taken = (): Lines => {
    const part = { text: `${texts.join('\n')}\n`, count: texts.length, numbers, readBytes }
    texts = []
    numbers = []
    return part
  }
  const take = (line: string) => {
    number++
    const text = line.trim()
    if (text === '') return
    texts.push(HASH_ALONE.test(text) ? JSON.stringify({ type: 'pdq', hash: text.toLowerCase() }) : text)
    numbers.push(number)
  }
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    readBytes += value.byteLength
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      take(line)
      if (texts.length >= atOnce) yield taken()
    }
  }
  take(rest)
  if (texts.length > 0) yield taken()
}

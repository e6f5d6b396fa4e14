// A long list of an answer, written as it is made, so that no turn of the event loop has to write all of it.

import { z } from 'zod'

export interface ListWriter<Element> {
  /** Sets the element at this place: the next one, or one that was set before. */
  put(place: number, element: Element): void
  /** JSON of the whole list. @throws when an element is not what the schema says. */
  text(): string
}

/** To check and write one by one takes three times as long as all at once; so many take a tenth of a millisecond. */
const AT_ONCE = 50

/**
 * @param schema of an element; what it does not name is left out.
 * @returns what begins a list. (To make a schema takes longer than to write a short answer: it is made once.)
 */
export function listWriterOf<Schema extends z.ZodType>(schema: Schema): () => ListWriter<z.output<Schema>> {
  const some = z.array(schema)
  return () => listWriter(some)
}

function listWriter<Schema extends z.ZodType>(some: z.ZodArray<Schema>): ListWriter<z.output<Schema>> {
  const elements: z.output<Schema>[] = []
  // Invariant: of so many elements, what is written of them; `undefined` where they changed since.
  const pieces: (string | undefined)[] = []
  const write = (piece: number) => JSON.stringify(z.encode(some, elements.slice(piece * AT_ONCE, (piece + 1) * AT_ONCE)))

  return {
    put(place, element) {
      elements[place] = element
      const piece = Math.floor(place / AT_ONCE)
      pieces[piece] = place === elements.length - 1 && place % AT_ONCE === AT_ONCE - 1 ? write(piece) : undefined
    },
    text() {
      if (pieces.length === 1) return pieces[0] ?? write(0)
      return `[${pieces.map((text, piece) => (text ?? write(piece)).slice(1, -1)).join()}]`
    },
  }
}

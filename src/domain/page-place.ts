// Where a page of a sorted list ended: the score and the member of its last entry. Both, since any number of entries may share a score.

export interface PagePlace {
  readonly score: number
  /** Hex. */
  readonly member: string
}

const PATTERN = /^(\d{1,16})\.((?:[0-9a-f]{2}){1,256})$/
export const PAGE_PLACE_PATTERN = PATTERN.source

export function formatPlace({ score, member }: PagePlace): string {
  return `${score}.${member}`
}

/** @returns `undefined` for text that is no place. */
export function parsePlace(text: string): PagePlace | undefined {
  const [, score, member] = PATTERN.exec(text) ?? []
  return member === undefined ? undefined : { score: Number(score), member }
}

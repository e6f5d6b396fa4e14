// Text of others that operators read: in a terminal, a log, a page.

/** Control characters (ESC, newline, the C1 set that terminals obey too), line separators, halves of characters, and what turns the direction of text. */
const MISLEADING = String.raw`\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}`

/** Is it one line that shows what it says? */
export function isPlainLine(text: string): boolean {
  return !new RegExp(`[${MISLEADING}]`, 'u').test(text)
}

/** JSON in which whatever could mislead who reads it is written as its number. It is read as the same value. */
export function plainJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(new RegExp(`[${MISLEADING}]`, 'gu'), inNumbers)
}

/** The same of text that may have several lines, such as a stack. */
export function plainText(text: string): string {
  return text.replace(new RegExp(`(?!\\n)[${MISLEADING}]`, 'gu'), inNumbers)
}

function inNumbers(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

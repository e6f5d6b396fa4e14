// Makes untrusted text safe to show to an operator in a terminal, a log or a page.

/** Control characters (including ESC, newline and the C1 set that terminals obey), line separators, lone surrogates and bidirectional controls. */
const MISLEADING = String.raw`\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}`

/** @returns whether the text is a single line without misleading characters. */
export function isPlainLine(text: string): boolean {
  return !new RegExp(`[${MISLEADING}]`, 'u').test(text)
}

/** JSON with every misleading character escaped. It parses to the same value. */
export function plainJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(new RegExp(`[${MISLEADING}]`, 'gu'), inNumbers)
}

/** Escapes misleading characters in text that may have several lines, such as a stack trace. Keeps newlines. */
export function plainText(text: string): string {
  return text.replace(new RegExp(`(?!\\n)[${MISLEADING}]`, 'gu'), inNumbers)
}

function inNumbers(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

// Canonical JSON: one text for one value, so that a signature over a document does not depend on how the document was formatted.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/**
 * The value as RFC 8785 (JCS) formats it: no spaces, names sorted by their UTF-16 code units.
 * @throws {RangeError} for a number that is not a safe integer. Signed documents contain none.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('only whole numbers are signed')
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`
}

// Array.isArray does not narrow a readonly list.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

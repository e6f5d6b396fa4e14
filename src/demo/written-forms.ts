// Texts that logs, queues and JSON make of bytes: a search for bytes must look for these too.

export interface WrittenForm {
  readonly form: 'hex' | 'inspected' | 'JSON' | 'base64'
  readonly text: string
}

/** @returns texts, at least one of which occurs in any text that these bytes were completely written into. */
export function writtenForms(bytes: Buffer): WrittenForm[] {
  const hex = bytes.toString('hex')
  return [
    { form: 'hex', text: hex },
    { form: 'hex', text: hex.toUpperCase() },
    { form: 'inspected', text: hex.replaceAll(/../g, '$& ').trim() },
    { form: 'JSON', text: bytes.join(',') },
    ...[0, 1, 2].flatMap((shift): WrittenForm[] => [
      { form: 'base64', text: base64Within(bytes, shift, 'base64') },
      { form: 'base64', text: base64Within(bytes, shift, 'base64url') },
    ]),
  ]
}

/** The base64 digits that depend on these bytes alone, when `shift` other bytes of a group of three come before them. */
function base64Within(bytes: Buffer, shift: number, encoding: 'base64' | 'base64url'): string {
  const firstWhole = (3 - shift) % 3
  const wholeBytes = bytes.length - firstWhole - ((bytes.length - firstWhole) % 3)
  return bytes.subarray(firstWhole, firstWhole + wholeBytes).toString(encoding)
}

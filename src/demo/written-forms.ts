// What logs, queues and JSON make of bytes: whoever searches for bytes must search for these as well.

export interface WrittenForm {
  readonly form: 'hex' | 'inspected' | 'JSON' | 'base64'
  readonly text: string
}

/** The texts, at least one of which is in any text that these bytes were written into whole. */
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

/** The digits of base64 that depend on these bytes alone when `shift` others of a group of three come before them. */
function base64Within(bytes: Buffer, shift: number, encoding: 'base64' | 'base64url'): string {
  const firstWhole = (3 - shift) % 3
  const wholeBytes = bytes.length - firstWhole - ((bytes.length - firstWhole) % 3)
  return bytes.subarray(firstWhole, firstWhole + wholeBytes).toString(encoding)
}

// What the api wrote into the page: the messages of its language, and what the operator set. The console has what hashing needs of it.

interface Given {
  readonly language: string
  /** Missing in the console. */
  readonly direction?: 'ltr' | 'rtl'
  readonly exitUrl: string
  /** Address of the script that reads pictures. */
  readonly worker: string
  /** For formats that not every browser can decode: the address of a script that reads them by itself. */
  readonly decoders: Readonly<Record<string, string>>
  /** Formats that the operator has switched off. */
  readonly unread: readonly string[]
  /** Largest file that the server takes, and how many in one request. */
  readonly maxImageBytes: number
  readonly maxImages: number
  /** Size of the largest video file that the server accepts. Missing if it decodes none. */
  readonly maxVideoBytes?: number
  readonly offersExtendedProtection: boolean
  /** Of the privacy notice in this page. Missing where the operator has not stated who runs the service. */
  readonly consentVersion?: string
  /** Platforms that take part, as the operator lists them. */
  readonly platformNames: readonly string[]
  /** Organisations that may be named as contact of a notice. */
  readonly noticeContacts: readonly string[]
  readonly messages: Readonly<Record<string, string>>
}

export const given: Given = givenIn(document)

/** @param page this page, or the same one in another language. */
export function givenIn(page: Document): Given {
  return JSON.parse(page.getElementById('given')?.textContent ?? '{}')
}

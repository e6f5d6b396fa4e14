// What the api wrote into the page: the messages of its language, and what the operator set.

interface Given {
  readonly language: string
  readonly exitUrl: string
  /** Address of the script that reads pictures. */
  readonly worker: string
  /** Largest file that the server takes, and how many in one request. */
  readonly maxImageBytes: number
  readonly maxImages: number
  readonly offersExtendedProtection: boolean
  readonly messages: Readonly<Record<string, string>>
}

export const given: Given = JSON.parse(document.getElementById('given')?.textContent ?? '{}')

// A client that keeps the bodies it sends.

import { type TabirClient, tabirClient } from '../../packages/client/src/tabir-client.js'

export function recordingClient(url: string, key: string): { readonly tabir: TabirClient; readonly sent: string[] } {
  const sent: string[] = []
  const tabir = tabirClient({
    url,
    key,
    fetch: (to, init) => {
      sent.push(String(init?.body))
      return fetch(to, init)
    },
  })
  return { tabir, sent }
}

// Reads Server-Sent Events from a response body. EventSource is not used because it cannot send an Authorization header.

/**
 * The data of each event, in order. Ends with the stream.
 * @param heard called whenever something arrives, including comments.
 * @see WHATWG HTML, section 9.2.6; what this service sends: one line of data for each, and lines that end in a line feed.
 */
export async function* sentEvents(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      text += decoder.decode(value, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const line = part.split('\n').find((each) => each.startsWith('data: '))
        if (line !== undefined) yield line.slice('data: '.length)
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

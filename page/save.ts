// Saves a file on her device, because she asked for it, under a name that tells nothing.

export function save(content: Blob, ending: 'txt' | 'json' | 'pdf'): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = `note.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

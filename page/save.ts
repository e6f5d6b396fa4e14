// Saves a file on the submitter's device, under a name that reveals nothing.

export function save(content: Blob, ending: 'txt' | 'json' | 'pdf' | 'ics'): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = `note.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

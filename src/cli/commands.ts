// Commands by name.

/** Loaded on use: loading all of them would take as long as a whole short command. */
export const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  audit: async (args) => (await import('./audit.js')).audit(args),
  backup: async (args) => (await import('./backup/backup.js')).backup(args),
  canary: async (args) => (await import('./canary.js')).canary(args),
  cases: async (args) => (await import('./cases.js')).cases(args),
  doctor: async (args) => (await import('./doctor/doctor.js')).doctor(args),
  exchange: async (args) => (await import('./exchange.js')).exchange(args),
  export: async (args) => (await import('./export.js')).exportBank(args),
  import: async (args) => (await import('./import.js')).importFile(args),
  index: async (args) => (await import('./index-status.js')).indexStatus(args),
  keys: async (args) => (await import('./keys.js')).keys(args),
  receipts: async (args) => (await import('./receipts.js')).receipts(args),
  restore: async (args) => (await import('./backup/restore.js')).restore(args),
  trust: async (args) => (await import('./trust.js')).trust(args),
  webhooks: async (args) => (await import('./webhooks.js')).webhooks(args),
}

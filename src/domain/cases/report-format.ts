export const REPORT_FORMATS = ['json', 'pdf'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** What a public api must say of who runs it. */
export const OPERATOR = {
  TABIR_OPERATOR_NAME: 'Helpers',
  TABIR_OPERATOR_LINK: 'mailto:help@helpers.example',
  TABIR_OPERATOR_COUNTRY: 'MY',
  TABIR_OPERATOR_AUTHORITY: 'Data Protection Commissioner',
}

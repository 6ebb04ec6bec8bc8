import { describeApi } from '../../server/src/web/api/openapi.ts'
import { API_ROUTES } from '../../server/src/web/api/table.ts'

/** The document as it is committed: for an issuer that is nobody's. */
export function writeDocument(): string {
  return `${JSON.stringify(describeApi(API_ROUTES, 'https://sallyport.example'), null, 2)}\n`
}

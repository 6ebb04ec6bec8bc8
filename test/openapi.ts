// Writes docs/openapi.json and the SDK's types from the table of the administration API: `npm run openapi`.
import { writeFileSync } from 'node:fs'
import { writeAdminModule } from './parts/admin_module.ts'
import { writeDocument } from './parts/api_document.ts'

writeFileSync(new URL('../docs/openapi.json', import.meta.url), writeDocument())
writeFileSync(new URL('../sdk/src/admin/operations.ts', import.meta.url), writeAdminModule())

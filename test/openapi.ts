// Writes what is made of something else: docs/openapi.json and the SDK's types of the table of the administration API, and
// the script of connect sessions of the SDK's module: `npm run openapi`.
import { writeFileSync } from 'node:fs'
import { writeAdminModule } from './parts/admin_module.ts'
import { writeDocument } from './parts/api_document.ts'
import { writeConnectScript } from './parts/connect_script.ts'

writeFileSync(new URL('../docs/openapi.json', import.meta.url), writeDocument())
writeFileSync(new URL('../sdk/src/admin/operations.ts', import.meta.url), writeAdminModule())
writeFileSync(new URL('../server/src/web/ui/connect.js', import.meta.url), writeConnectScript())
